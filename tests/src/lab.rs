//! See the README of the demo in `demo`.
