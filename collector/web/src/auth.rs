//! Who may do what over HTTP, and how a person proves who that is. Nothing here reads a clock, draws random bytes or
//! does I/O: all three are arguments, so every rule can be tested, and whoever serves the pages acts.

mod account;
pub mod accounts;
pub mod cookie;
mod device;
mod elapsed;
mod key;
mod link;
pub mod password;
mod role;
mod session;
mod throttle;
pub mod totp;

pub use account::Account;
pub use device::{DEVICE_LIFETIME_MS, Device};
pub use key::ServerKey;
pub use link::{LinkError, ProviderToken};
pub use role::{Act, Role, UnknownRole, may};
pub use session::{Lifetimes, Session, Sessions};
pub use throttle::{Limits, Throttle, Wait};
