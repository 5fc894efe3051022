//! An error and its sources in one line.

use std::error::Error;

/// A source that the text before it tells already is not told twice.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::queue::QueueError;

    #[test]
    fn the_cause_is_told_once() {
        let refused = QueueError::Unreachable {
            address: "10.0.0.1:8728".into(),
            source: io::Error::from(io::ErrorKind::ConnectionRefused),
        };
        assert_eq!(chain(&refused), "cannot talk to 10.0.0.1:8728: connection refused");
        assert_eq!(chain(&QueueError::Missing("queue site-a".into())), "queue site-a is not on the device");
    }
}
