//! Netlink framing: messages in a datagram, attributes in a message, and the kernel's verdict on a request.
//!
//! Pure: bytes in, bytes out. Everything is in the machine's byte order and padded to four bytes (RFC 3549,
//! include/uapi/linux/netlink.h). Reading is total: no bytes make it panic.

pub const NLMSG_ERROR: u16 = 2;
pub const NLMSG_DONE: u16 = 3;
pub const NLM_F_REQUEST: u16 = 0x1;
pub const NLM_F_ACK: u16 = 0x4;
pub const NLM_F_DUMP: u16 = 0x300;
/// The error does not repeat the request beyond its header.
const NLM_F_CAPPED: u16 = 0x100;
/// The verdict is followed by attributes.
const NLM_F_ACK_TLVS: u16 = 0x200;
/// The kernel's reason in words, NUL-terminated.
const NLMSGERR_ATTR_MSG: u16 = 1;
/// The upper two bits of an attribute's type are flags (nested, network byte order).
const NLA_TYPE_MASK: u16 = 0x3fff;
const MESSAGE_HEADER: usize = 16;
const ATTRIBUTE_HEADER: usize = 4;

/// Bytes that are not what netlink promises.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: expected at least {expected} bytes, got {got}")]
pub struct Malformed {
    pub what: &'static str,
    pub expected: usize,
    pub got: usize,
}

/// One message of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    pub kind: u16,
    pub flags: u16,
    pub sequence: u32,
    pub payload: &'a [u8],
}

/// How a request or a dump ended: errno zero is success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub errno: i32,
    pub text: Option<String>,
}

/// The messages of one datagram; ends after the first malformed one.
pub fn messages(datagram: &[u8]) -> Messages<'_> {
    Messages { rest: datagram }
}

/// The attributes in `bytes`, as (type, payload); ends after the first malformed one.
pub fn attributes(bytes: &[u8]) -> Attributes<'_> {
    Attributes { rest: bytes }
}

/// Reads `data` in every way that bytes from the kernel are read, whatever queue they are about. For fuzzing: it must
/// return.
pub fn fuzz_parse(data: &[u8]) {
    for message in messages(data).flatten() {
        // The outcome is of no interest here, only that there is one.
        let _ = message.verdict();
        attributes(message.payload).for_each(drop);
    }
    attributes(data).for_each(drop);
}

impl Message<'_> {
    /// Of an NLMSG_ERROR (an ACK too) or an NLMSG_DONE.
    pub fn verdict(&self) -> Result<Verdict, Malformed> {
        let mut fields = Fields::new("netlink verdict", self.payload);
        let errno = fields.i32()?.saturating_neg();
        if self.kind == NLMSG_ERROR {
            let request = fields.u32()? as usize;
            fields.skip(MESSAGE_HEADER - 4)?;
            if self.flags & NLM_F_CAPPED == 0 {
                fields.skip(align(request.saturating_sub(MESSAGE_HEADER)))?;
            }
        }
        let text = if self.flags & NLM_F_ACK_TLVS == 0 { None } else { reason(fields.rest) };
        Ok(Verdict { errno, text })
    }
}

/// Garbled words must not hide the errno, hence no error here.
fn reason(bytes: &[u8]) -> Option<String> {
    let (_, text) = attributes(bytes).flatten().find(|(kind, _)| *kind == NLMSGERR_ATTR_MSG)?;
    let text = text.split(|byte| *byte == 0).next()?;
    Some(String::from_utf8_lossy(text).into_owned())
}

pub struct Messages<'a> {
    rest: &'a [u8],
}

impl<'a> Messages<'a> {
    fn split(&mut self) -> Result<Message<'a>, Malformed> {
        let mut fields = Fields::new("netlink message header", self.rest);
        let length = fields.u32()? as usize;
        let (kind, flags, sequence, _port) = (fields.u16()?, fields.u16()?, fields.u32()?, fields.u32()?);
        let payload = body(&mut self.rest, "netlink message", MESSAGE_HEADER, length)?;
        Ok(Message { kind, flags, sequence, payload })
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        Some(self.split().inspect_err(|_| self.rest = &[]))
    }
}

pub struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Attributes<'a> {
    fn split(&mut self) -> Result<(u16, &'a [u8]), Malformed> {
        let mut fields = Fields::new("netlink attribute header", self.rest);
        let (length, kind) = (usize::from(fields.u16()?), fields.u16()? & NLA_TYPE_MASK);
        let payload = body(&mut self.rest, "netlink attribute", ATTRIBUTE_HEADER, length)?;
        Ok((kind, payload))
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<(u16, &'a [u8]), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        Some(self.split().inspect_err(|_| self.rest = &[]))
    }
}

/// Takes what is `length` bytes long with its header off the front of `rest`, with its padding.
fn body<'a>(rest: &mut &'a [u8], what: &'static str, header: usize, length: usize) -> Result<&'a [u8], Malformed> {
    let all = *rest;
    let malformed = Malformed { what, expected: length.max(header), got: all.len().min(length) };
    let payload = all.get(header..length).ok_or(malformed)?;
    *rest = all.get(align(length)..).unwrap_or_default();
    Ok(payload)
}

fn align(length: usize) -> usize {
    length.saturating_add(3) & !3
}

/// Reads the fields of a C struct in turn.
pub struct Fields<'a> {
    what: &'static str,
    whole: usize,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// `what` names the struct in errors.
    pub fn new(what: &'static str, bytes: &'a [u8]) -> Self {
        Self { what, whole: bytes.len(), rest: bytes }
    }
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        self.take().map(u8::from_ne_bytes)
    }
    pub fn u16(&mut self) -> Result<u16, Malformed> {
        self.take().map(u16::from_ne_bytes)
    }
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.take().map(u32::from_ne_bytes)
    }
    pub fn i32(&mut self) -> Result<i32, Malformed> {
        self.take().map(i32::from_ne_bytes)
    }
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        self.take().map(u64::from_ne_bytes)
    }
    pub fn skip(&mut self, bytes: usize) -> Result<(), Malformed> {
        self.rest = self.rest.get(bytes..).ok_or_else(|| self.short_of(bytes))?;
        Ok(())
    }
    pub fn rest(self) -> &'a [u8] {
        self.rest
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (field, rest) = self.rest.split_first_chunk::<N>().ok_or_else(|| self.short_of(N))?;
        self.rest = rest;
        Ok(*field)
    }
    fn short_of(&self, bytes: usize) -> Malformed {
        let read = self.whole.saturating_sub(self.rest.len());
        Malformed { what: self.what, expected: read.saturating_add(bytes), got: self.whole }
    }
}

/// Builds one request. What is put in is small and of fixed size, so lengths always fit their fields.
pub struct Builder(Vec<u8>);

impl Builder {
    pub fn new(kind: u16, flags: u16, sequence: u32) -> Self {
        let mut bytes = vec![0; 4];
        bytes.extend(kind.to_ne_bytes());
        bytes.extend((NLM_F_REQUEST | flags).to_ne_bytes());
        bytes.extend(sequence.to_ne_bytes());
        // The sender's port: zero lets the kernel fill it in.
        bytes.extend([0; 4]);
        Self(bytes)
    }
    /// Bytes of a struct; the caller sees to it that the sum is a multiple of four.
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }
    pub fn attribute(mut self, kind: u16, payload: &[u8]) -> Self {
        self.0.extend(attribute(kind, payload));
        self
    }
    pub fn finish(mut self) -> Vec<u8> {
        let length = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        if let Some(field) = self.0.first_chunk_mut::<4>() {
            *field = length.to_ne_bytes();
        }
        self.0
    }
}

/// One attribute with its padding; several in a row are the payload of a nested one.
pub fn attribute(kind: u16, payload: &[u8]) -> Vec<u8> {
    let length = payload.len().saturating_add(ATTRIBUTE_HEADER);
    let mut bytes = u16::try_from(length).unwrap_or(u16::MAX).to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(payload);
    bytes.resize(align(length), 0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::{
        htb::captured,
        netlink::captured::{Captured, damaged},
    };
    use proptest::prelude::*;

    fn only(datagram: &[u8]) -> Message<'_> {
        let mut all = messages(datagram);
        let message = all.next().unwrap().unwrap();
        assert_eq!(all.next(), None);
        message
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn the_kernels_verdicts_are_read() {
        let verdict = |datagram: Captured| only(&datagram.bytes()).verdict().unwrap();
        assert_eq!(verdict(captured::ACK), Verdict { errno: 0, text: None });
        assert_eq!(verdict(captured::DONE), Verdict { errno: 0, text: None });
        assert_eq!(verdict(captured::NO_SUCH_CLASS), Verdict { errno: libc::ENOENT, text: None });
        let text = Some("Attribute failed policy validation".to_owned());
        assert_eq!(verdict(captured::SHORT_PARAMETERS), Verdict { errno: libc::ERANGE, text });
        let text = Some("sch_htb: quantum of class 10010 is big. Consider r2q change.".to_owned());
        assert_eq!(verdict(captured::WARNED), Verdict { errno: 0, text });
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn a_verdict_that_repeats_the_request_is_read_past_it() {
        let mut bytes = captured::SHORT_PARAMETERS.bytes();
        let request = u32::from_ne_bytes(*bytes[20..].first_chunk().unwrap()) as usize;
        // As without NETLINK_CAP_ACK: the flag is off and the request's payload follows its header.
        bytes[7] &= !1;
        bytes.splice(36..36, vec![0xff; request - MESSAGE_HEADER]);
        let length = bytes.len() as u32;
        bytes[..4].copy_from_slice(&length.to_ne_bytes());
        let verdict = only(&bytes).verdict().unwrap();
        assert_eq!(verdict.text.as_deref(), Some("Attribute failed policy validation"));
    }

    #[test]
    fn lengths_that_lie_are_named() {
        let header = |length: u32| {
            let mut bytes = Builder::new(40, 0, 1).finish();
            bytes[..4].copy_from_slice(&length.to_ne_bytes());
            messages(&bytes).next().unwrap().unwrap_err()
        };
        assert_eq!(header(20), Malformed { what: "netlink message", expected: 20, got: 16 });
        assert_eq!(header(3), Malformed { what: "netlink message", expected: 16, got: 3 });
        assert_eq!(header(0).to_string(), "netlink message: expected at least 16 bytes, got 0");
        let short = attributes(&[0, 0, 0]).next().unwrap().unwrap_err();
        assert_eq!(short, Malformed { what: "netlink attribute header", expected: 4, got: 3 });
    }

    #[test]
    fn attributes_are_padded_and_found_again() {
        let message = Builder::new(40, NLM_F_ACK, 7).attribute(1, b"htb\0x").attribute(0x8002, b"").finish();
        assert_eq!(message.len(), 32);
        let message = only(&message);
        assert_eq!((message.kind, message.flags, message.sequence), (40, 5, 7));
        let found: Vec<_> = attributes(message.payload).map(Result::unwrap).collect();
        assert_eq!(found, [(1, b"htb\0x".as_slice()), (2, b"")]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_reading_panic(data in proptest::collection::vec(any::<u8>(), 0..600)) {
            fuzz_parse(&data);
        }

        #[test]
        fn no_damage_to_what_the_kernel_sends_makes_reading_panic(bytes in damaged(&captured::ALL)) {
            fuzz_parse(&bytes);
        }
    }
}
