//! Questions to the tables.

pub(super) mod cases;
pub(super) mod decided;
pub(super) mod measured;
