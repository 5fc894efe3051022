//! Questions to the tables.

pub(super) mod decided;
pub(super) mod measured;
