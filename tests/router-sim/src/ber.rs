//! The part of BER (X.690) that SNMP uses (RFC 3417 §8): definite lengths, integers, octet strings, object identifiers
//! and the application types of RFC 2578. Reading never panics, whatever the bytes.

use std::fmt;

pub const INTEGER: u8 = 0x02;
pub const OCTET_STRING: u8 = 0x04;
pub const NULL: u8 = 0x05;
pub const OBJECT_IDENTIFIER: u8 = 0x06;
pub const SEQUENCE: u8 = 0x30;
pub const IP_ADDRESS: u8 = 0x40;
pub const COUNTER32: u8 = 0x41;
pub const GAUGE32: u8 = 0x42;
pub const TIME_TICKS: u8 = 0x43;
pub const COUNTER64: u8 = 0x46;
/// Exceptions that take a value's place (RFC 3416 §3).
pub const NO_SUCH_OBJECT: u8 = 0x80;
pub const NO_SUCH_INSTANCE: u8 = 0x81;
pub const END_OF_MIB_VIEW: u8 = 0x82;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BerError {
    /// The bytes end inside an element.
    Truncated,
    /// A tag above 30, an indefinite length or a length of more than four bytes.
    Unsupported,
    UnexpectedTag {
        found: u8,
        expected: u8,
    },
    /// Empty, or more than 64 bits.
    Integer,
    /// Empty, unfinished, an arc above 32 bits or more than 128 arcs (RFC 2578 §3.5).
    ObjectIdentifier,
}

impl fmt::Display for BerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("element ends early"),
            Self::Unsupported => f.write_str("tag or length form is not used by SNMP"),
            Self::UnexpectedTag { found, expected } => write!(f, "tag {found:#04x}, expected {expected:#04x}"),
            Self::Integer => f.write_str("integer is empty or longer than 64 bits"),
            Self::ObjectIdentifier => f.write_str("object identifier is malformed"),
        }
    }
}
impl std::error::Error for BerError {}

/// An object identifier; ordered as GETNEXT walks.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid(pub Vec<u32>);

impl Oid {
    /// This one with more arcs.
    pub fn child(&self, arcs: &[u32]) -> Self {
        Self([self.0.as_slice(), arcs].concat())
    }
}

/// Takes elements off the front of a byte string.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element: its tag and its content.
    pub fn any(&mut self) -> Result<(u8, &'a [u8]), BerError> {
        let (tag, rest) = self.0.split_first().ok_or(BerError::Truncated)?;
        if tag & 0x1f == 0x1f {
            return Err(BerError::Unsupported);
        }
        let (length, rest) = take_length(rest)?;
        let (content, rest) = rest.split_at_checked(length).ok_or(BerError::Truncated)?;
        self.0 = rest;
        Ok((*tag, content))
    }

    /// The content of the next element, which must have this tag.
    pub fn expect(&mut self, expected: u8) -> Result<&'a [u8], BerError> {
        match self.any()? {
            (found, content) if found == expected => Ok(content),
            (found, _) => Err(BerError::UnexpectedTag { found, expected }),
        }
    }

    pub fn integer(&mut self) -> Result<i64, BerError> {
        let content = self.expect(INTEGER)?;
        let first = content.first().ok_or(BerError::Integer)?;
        if content.len() > 8 {
            return Err(BerError::Integer);
        }
        let sign: i64 = if first & 0x80 == 0 { 0 } else { -1 };
        Ok(content.iter().fold(sign, |value, byte| value << 8 | i64::from(*byte)))
    }

    pub fn oid(&mut self) -> Result<Oid, BerError> {
        read_oid(self.expect(OBJECT_IDENTIFIER)?)
    }
}

/// Appends an element.
pub fn push(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.push(tag);
    // No message here comes near 4 GiB: a datagram ends at 64 KiB.
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes();
    match length {
        [0, 0, 0, d] if d < 0x80 => out.push(d),
        [0, 0, 0, d] => out.extend_from_slice(&[0x81, d]),
        [0, 0, c, d] => out.extend_from_slice(&[0x82, c, d]),
        [0, b, c, d] => out.extend_from_slice(&[0x83, b, c, d]),
        [a, b, c, d] => out.extend_from_slice(&[0x84, a, b, c, d]),
    }
    out.extend_from_slice(content);
}

/// Appends an integer in its shortest form, under any tag that counts.
pub fn push_integer(out: &mut Vec<u8>, tag: u8, value: impl Into<i128>) {
    let bytes = value.into().to_be_bytes();
    let mut shortest = bytes.as_slice();
    while let [first, rest @ ..] = shortest {
        let sign_of_rest = rest.first().map(|byte| byte & 0x80 != 0);
        let redundant = matches!((first, sign_of_rest), (0x00, Some(false)) | (0xff, Some(true)));
        if !redundant {
            break;
        }
        shortest = rest;
    }
    push(out, tag, shortest);
}

pub fn push_oid(out: &mut Vec<u8>, oid: &Oid) {
    let mut content = Vec::with_capacity(oid.0.len() + 4);
    let mut arcs = oid.0.iter().map(|arc| u64::from(*arc));
    let (first, second) = (arcs.next().unwrap_or(0), arcs.next().unwrap_or(0));
    push_arc(&mut content, first * 40 + second);
    arcs.for_each(|arc| push_arc(&mut content, arc));
    push(out, OBJECT_IDENTIFIER, &content);
}

const MAX_ARCS: usize = 128;

fn take_length(bytes: &[u8]) -> Result<(usize, &[u8]), BerError> {
    let (first, rest) = bytes.split_first().ok_or(BerError::Truncated)?;
    if *first < 0x80 {
        return Ok((usize::from(*first), rest));
    }
    let count = usize::from(first & 0x7f);
    if !(1..=4).contains(&count) {
        return Err(BerError::Unsupported);
    }
    let (digits, rest) = rest.split_at_checked(count).ok_or(BerError::Truncated)?;
    let length = digits.iter().fold(0_u32, |length, byte| length << 8 | u32::from(*byte));
    Ok((usize::try_from(length).map_err(|_| BerError::Unsupported)?, rest))
}

fn read_oid(content: &[u8]) -> Result<Oid, BerError> {
    let mut arcs: Vec<u32> = Vec::new();
    let mut arc = 0_u64;
    let mut unfinished = true;
    for byte in content {
        arc = arc << 7 | u64::from(byte & 0x7f);
        // The first two arcs share a number that may exceed 32 bits by 80.
        if arc > u64::from(u32::MAX) + 80 {
            return Err(BerError::ObjectIdentifier);
        }
        unfinished = byte & 0x80 != 0;
        if unfinished {
            continue;
        }
        if arcs.is_empty() {
            let first = (arc / 40).min(2);
            arcs.push(u32::try_from(first).map_err(|_| BerError::ObjectIdentifier)?);
            arc -= first * 40;
        }
        arcs.push(u32::try_from(arc).map_err(|_| BerError::ObjectIdentifier)?);
        arc = 0;
    }
    if unfinished || arcs.len() > MAX_ARCS { Err(BerError::ObjectIdentifier) } else { Ok(Oid(arcs)) }
}

fn push_arc(out: &mut Vec<u8>, arc: u64) {
    let groups = (64 - arc.leading_zeros()).div_ceil(7).max(1);
    for group in (0..groups).rev() {
        let bits = (arc >> (7 * group) & 0x7f) as u8;
        out.push(if group == 0 { bits } else { bits | 0x80 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_take_the_shortest_form_and_come_back() {
        for (value, bytes) in [
            (0_i64, vec![0x02, 1, 0x00]),
            (127, vec![0x02, 1, 0x7f]),
            (128, vec![0x02, 2, 0x00, 0x80]),
            (-1, vec![0x02, 1, 0xff]),
            (-128, vec![0x02, 1, 0x80]),
            (-129, vec![0x02, 2, 0xff, 0x7f]),
            (0x7fff_ffff, vec![0x02, 4, 0x7f, 0xff, 0xff, 0xff]),
        ] {
            let mut out = Vec::new();
            push_integer(&mut out, INTEGER, value);
            assert_eq!(out, bytes, "{value}");
            assert_eq!(Reader::new(&out).integer(), Ok(value));
        }
        let mut out = Vec::new();
        push_integer(&mut out, COUNTER64, u64::MAX);
        assert_eq!(out, [vec![0x46, 9, 0x00], vec![0xff; 8]].concat());
    }

    #[test]
    fn object_identifiers_take_the_bytes_of_the_standard() {
        for (arcs, bytes) in [
            (vec![1, 3, 6, 1, 2, 1], vec![0x06, 5, 0x2b, 6, 1, 2, 1]),
            (vec![1, 3, 6, 1, 4, 1, 14988, 1], vec![0x06, 8, 0x2b, 6, 1, 4, 1, 0xf5, 0x0c, 1]),
            (vec![2, 999, 3], vec![0x06, 3, 0x88, 0x37, 3]),
            (vec![1, 3, u32::MAX], vec![0x06, 6, 0x2b, 0x8f, 0xff, 0xff, 0xff, 0x7f]),
            (vec![2, u32::MAX], vec![0x06, 5, 0x90, 0x80, 0x80, 0x80, 0x4f]),
        ] {
            let mut out = Vec::new();
            push_oid(&mut out, &Oid(arcs.clone()));
            assert_eq!(out, bytes, "{arcs:?}");
            assert_eq!(Reader::new(&out).oid(), Ok(Oid(arcs)));
        }
    }

    #[test]
    fn lengths_grow_as_they_must() {
        for (length, head) in [
            (0x7f, vec![0x04, 0x7f]),
            (0x80, vec![0x04, 0x81, 0x80]),
            (0x100, vec![0x04, 0x82, 0x01, 0x00]),
            (0x1_0000, vec![0x04, 0x83, 0x01, 0x00, 0x00]),
        ] {
            let content = vec![7; length];
            let mut out = Vec::new();
            push(&mut out, OCTET_STRING, &content);
            assert_eq!(out.get(..head.len()), Some(head.as_slice()));
            assert_eq!(Reader::new(&out).any(), Ok((OCTET_STRING, content.as_slice())));
        }
    }

    #[test]
    fn malformed_elements_are_errors() {
        let any = |bytes: &[u8]| Reader::new(bytes).any().map(|(tag, _)| tag);
        assert_eq!(any(&[]), Err(BerError::Truncated));
        assert_eq!(any(&[0x30]), Err(BerError::Truncated));
        assert_eq!(any(&[0x30, 0x05, 0x00]), Err(BerError::Truncated));
        assert_eq!(any(&[0x30, 0x82, 0x01]), Err(BerError::Truncated));
        assert_eq!(any(&[0x30, 0x80]), Err(BerError::Unsupported));
        assert_eq!(any(&[0x30, 0x85, 0, 0, 0, 0, 1, 0]), Err(BerError::Unsupported));
        assert_eq!(any(&[0x1f, 0x01, 0x00]), Err(BerError::Unsupported));
        assert_eq!(any(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), Err(BerError::Truncated));
        assert_eq!(Reader::new(&[0x02, 0x00]).integer(), Err(BerError::Integer));
        assert_eq!(Reader::new(&[0x02, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9]).integer(), Err(BerError::Integer));
        assert_eq!(Reader::new(&[0x06, 0x00]).oid(), Err(BerError::ObjectIdentifier));
        assert_eq!(Reader::new(&[0x06, 0x02, 0x2b, 0x86]).oid(), Err(BerError::ObjectIdentifier));
        assert_eq!(
            Reader::new(&[0x06, 7, 0x2b, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]).oid(),
            Err(BerError::ObjectIdentifier)
        );
    }
}
