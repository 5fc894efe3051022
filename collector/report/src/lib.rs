//! Papers of the office: from a [`model`] (numbers, names, times) to a [`document`](mod@document) in Indonesian or
//! English, and to XLSX, JSON and HTML. PDF is drawn from the same document by `takar-pdf`.
#![forbid(unsafe_code)]

pub mod document;
mod figures;
pub mod html;
pub mod json;
mod lang;
pub mod model;
pub mod office;
pub mod sample;
mod words;
mod write;
pub mod xlsx;

pub use lang::{Lang, UnknownLang, Zone};
pub use write::speech::Speech;
