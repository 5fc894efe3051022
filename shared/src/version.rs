//! Wire versions and the compatibility policy.
//!
//! A message names its version in the first byte of its envelope, which decodes before anything
//! else does, so a newer version is reported as such and never as garbage. Published structs are
//! frozen: a change is an appended enum variant or a new `FooV2`, held by golden bytes. Version 1
//! freezes with the hardening work; until then golden bytes may change, with a line in CHANGELOG.

/// The oldest version this build still decodes.
pub const MIN: u8 = 1;
/// The version this build writes, and the newest it decodes.
pub const CURRENT: u8 = 1;
