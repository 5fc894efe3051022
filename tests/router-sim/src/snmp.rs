//! The SNMP v2c agent (RFC 1901, RFC 3416): GET, GETNEXT and GETBULK; every SET is refused. What is not understood, or
//! comes with another community, gets no answer.

use std::{net::UdpSocket, thread, time::Duration};

use crate::{
    ber::{self, BerError, Oid, Reader},
    mib::{Tree, Value},
    router::Router,
};

/// Replies stay below this, as a real agent's do on an Ethernet path.
pub const MAX_MESSAGE: usize = 1400;

/// Answers for ever.
pub fn serve(socket: &UdpSocket, router: &Router) {
    let mut buffer = vec![0; 65_536];
    loop {
        let Ok((length, peer)) = socket.recv_from(&mut buffer) else {
            // Linux reports a former peer's closed port here; a lasting error must not spin.
            thread::sleep(Duration::from_millis(5));
            continue;
        };
        let Some(packet) = buffer.get(..length) else { continue };
        if let Ok(Some(reply)) = answer(packet, router.community(), || router.tree()) {
            // A lost reply is what UDP is; the manager asks again.
            let _ = socket.send_to(&reply, peer);
        }
    }
}

/// The reply to one packet; `None` where the agent stays silent. The tree is built only for who may see it.
pub fn answer(packet: &[u8], community: &[u8], tree: impl FnOnce() -> Tree) -> Result<Option<Vec<u8>>, BerError> {
    let mut message = Reader::new(Reader::new(packet).expect(ber::SEQUENCE)?);
    if message.integer()? != VERSION_2C || message.expect(ber::OCTET_STRING)? != community {
        return Ok(None);
    }
    let (kind, body) = message.any()?;
    let mut body = Reader::new(body);
    // RFC 3416 §3 gives it 32 bits.
    let request_id = i32::try_from(body.integer()?).map_err(|_| BerError::Integer)?;
    let (second, third) = (body.integer()?, body.integer()?);
    let bindings = body.expect(ber::SEQUENCE)?;
    let names = read_names(bindings)?;
    let room = MAX_MESSAGE.saturating_sub(HEADERS + community.len());

    let body = match kind {
        GET => {
            let tree = tree();
            Body::whole(names.iter().map(|name| encode(name, &tree.get(name))), room)
        }
        GET_NEXT => {
            let tree = tree();
            Body::whole(names.iter().map(|name| encode_next(&tree, name).0), room)
        }
        GET_BULK => Body::of(bulk(&tree(), &names, second, third, room)),
        SET => Body::refusal(&tree(), &names, bindings, room),
        _ => return Ok(None),
    };
    Ok(Some(body.into_message(community, request_id)))
}

const VERSION_2C: i64 = 1;
const GET: u8 = 0xa0;
const GET_NEXT: u8 = 0xa1;
const RESPONSE: u8 = 0xa2;
const SET: u8 = 0xa3;
const GET_BULK: u8 = 0xa5;

const TOO_BIG: i64 = 1;
const NO_ACCESS: i64 = 6;
const NOT_WRITABLE: i64 = 17;

/// Four nested headers of four bytes at most, version, request id, status and index.
const HEADERS: usize = 4 * 4 + 3 + 6 + 3 + 6;

/// The part of a Response-PDU that depends on the request.
struct Body {
    error_status: i64,
    error_index: usize,
    bindings: Vec<u8>,
}

impl Body {
    fn of(bindings: Vec<u8>) -> Self {
        Self { error_status: 0, error_index: 0, bindings }
    }

    /// All bindings or, where they do not fit, none and tooBig (RFC 3416 §4.2.1).
    fn whole(bindings: impl Iterator<Item = Vec<u8>>, room: usize) -> Self {
        let mut all = Vec::new();
        for binding in bindings {
            all.extend_from_slice(&binding);
            if all.len() > room {
                return Self::too_big();
            }
        }
        Self::of(all)
    }

    fn too_big() -> Self {
        Self { error_status: TOO_BIG, error_index: 0, bindings: Vec::new() }
    }

    /// Nothing here can be written: notWritable where the object exists, noAccess elsewhere (RFC 3416 §4.2.5).
    fn refusal(tree: &Tree, names: &[Oid], bindings: &[u8], room: usize) -> Self {
        if bindings.len() > room {
            return Self::too_big();
        }
        let error_status = match names.first() {
            None => return Self::of(Vec::new()),
            Some(name) if tree.knows_object(name) => NOT_WRITABLE,
            Some(_) => NO_ACCESS,
        };
        Self { error_status, error_index: 1, bindings: bindings.to_vec() }
    }

    fn into_message(self, community: &[u8], request_id: i32) -> Vec<u8> {
        let mut pdu = Vec::new();
        ber::push_integer(&mut pdu, ber::INTEGER, request_id);
        ber::push_integer(&mut pdu, ber::INTEGER, self.error_status);
        ber::push_integer(&mut pdu, ber::INTEGER, self.error_index as i64);
        ber::push(&mut pdu, ber::SEQUENCE, &self.bindings);
        let mut content = Vec::new();
        ber::push_integer(&mut content, ber::INTEGER, VERSION_2C);
        ber::push(&mut content, ber::OCTET_STRING, community);
        ber::push(&mut content, RESPONSE, &pdu);
        let mut message = Vec::new();
        ber::push(&mut message, ber::SEQUENCE, &content);
        message
    }
}

/// RFC 3416 §4.2.3: the first names once, the others again and again, until the reply is full or the view ends.
fn bulk(tree: &Tree, names: &[Oid], non_repeaters: i64, max_repetitions: i64, room: usize) -> Vec<u8> {
    let once = usize::try_from(non_repeaters).unwrap_or(0).min(names.len());
    let (once, repeated) = names.split_at_checked(once).unwrap_or((names, &[]));
    let mut out = Vec::new();
    for name in once {
        let (binding, _) = encode_next(tree, name);
        if out.len() + binding.len() > room {
            return out;
        }
        out.extend_from_slice(&binding);
    }
    let mut current = repeated.to_vec();
    for _ in 0..max_repetitions {
        let mut ended = true;
        for name in &mut current {
            let (binding, next) = encode_next(tree, name);
            if out.len() + binding.len() > room {
                return out;
            }
            out.extend_from_slice(&binding);
            if let Some(next) = next {
                ended = false;
                *name = next;
            }
        }
        // True also where there is nothing to repeat.
        if ended {
            break;
        }
    }
    out
}

/// The binding that follows a name, and its name; past the end, endOfMibView under the name that was asked.
fn encode_next(tree: &Tree, name: &Oid) -> (Vec<u8>, Option<Oid>) {
    match tree.next(name) {
        Some((next, value)) => (encode(next, value), Some(next.clone())),
        None => (encode(name, &Value::EndOfMibView), None),
    }
}

fn encode(name: &Oid, value: &Value) -> Vec<u8> {
    let mut content = Vec::new();
    ber::push_oid(&mut content, name);
    value.push_to(&mut content);
    let mut binding = Vec::new();
    ber::push(&mut binding, ber::SEQUENCE, &content);
    binding
}

fn read_names(bindings: &[u8]) -> Result<Vec<Oid>, BerError> {
    let mut list = Reader::new(bindings);
    let mut names = Vec::new();
    while !list.is_empty() {
        let mut binding = Reader::new(list.expect(ber::SEQUENCE)?);
        names.push(binding.oid()?);
        binding.any()?;
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        pair::{BitsPerSec, Pair},
        ports,
        table::Table,
        tree::QueueTree,
    };

    const COMMUNITY: &[u8] = b"takes-care";

    fn tree() -> Tree {
        let capacity = Pair { up: BitsPerSec(1), down: BitsPerSec(1) };
        Tree::build(
            "r1",
            1000,
            &ports::read(&Pair::default(), 1, 1, &capacity),
            &Table::default(),
            &QueueTree::default(),
        )
    }

    fn oid(text: &str) -> Oid {
        Oid(text.split('.').map(|arc| arc.parse().unwrap()).collect())
    }

    fn request(kind: u8, community: &[u8], second: i64, third: i64, names: &[&str]) -> Vec<u8> {
        let mut bindings = Vec::new();
        for name in names {
            let mut content = Vec::new();
            ber::push_oid(&mut content, &oid(name));
            ber::push(&mut content, ber::NULL, &[]);
            ber::push(&mut bindings, ber::SEQUENCE, &content);
        }
        let mut pdu = Vec::new();
        for number in [-77, second, third] {
            ber::push_integer(&mut pdu, ber::INTEGER, number);
        }
        ber::push(&mut pdu, ber::SEQUENCE, &bindings);
        let mut content = Vec::new();
        ber::push_integer(&mut content, ber::INTEGER, VERSION_2C);
        ber::push(&mut content, ber::OCTET_STRING, community);
        ber::push(&mut content, kind, &pdu);
        let mut packet = Vec::new();
        ber::push(&mut packet, ber::SEQUENCE, &content);
        packet
    }

    /// Error status, error index, and the names with the tags of their values.
    fn read(reply: &[u8]) -> (i64, i64, Vec<(Oid, u8)>) {
        let mut message = Reader::new(Reader::new(reply).expect(ber::SEQUENCE).unwrap());
        assert_eq!(message.integer(), Ok(VERSION_2C));
        assert_eq!(message.expect(ber::OCTET_STRING), Ok(COMMUNITY));
        let mut pdu = Reader::new(message.expect(RESPONSE).unwrap());
        assert_eq!(pdu.integer(), Ok(-77), "request id");
        let (status, index) = (pdu.integer().unwrap(), pdu.integer().unwrap());
        let mut list = Reader::new(pdu.expect(ber::SEQUENCE).unwrap());
        let mut found = Vec::new();
        while !list.is_empty() {
            let mut binding = Reader::new(list.expect(ber::SEQUENCE).unwrap());
            found.push((binding.oid().unwrap(), binding.any().unwrap().0));
        }
        (status, index, found)
    }

    fn ask(kind: u8, second: i64, third: i64, names: &[&str]) -> (i64, i64, Vec<(Oid, u8)>) {
        let reply = answer(&request(kind, COMMUNITY, second, third, names), COMMUNITY, tree).unwrap().unwrap();
        assert!(reply.len() <= MAX_MESSAGE, "{} bytes", reply.len());
        read(&reply)
    }

    #[test]
    fn get_answers_each_name_with_its_value_or_its_exception() {
        let names = ["1.3.6.1.2.1.1.3.0", "1.3.6.1.2.1.31.1.1.1.6.1", "1.3.6.1.2.1.31.1.1.1.6.9", "1.3.6.1.9.9"];
        let (status, index, found) = ask(GET, 0, 0, &names);
        assert_eq!((status, index), (0, 0));
        let tags: Vec<u8> = found.iter().map(|(_, tag)| *tag).collect();
        assert_eq!(tags, [ber::TIME_TICKS, ber::COUNTER64, ber::NO_SUCH_INSTANCE, ber::NO_SUCH_OBJECT]);
        assert!(found.iter().zip(names).all(|((name, _), asked)| *name == oid(asked)));
    }

    #[test]
    fn get_next_crosses_tables_and_ends_with_the_view() {
        let (_, _, found) = ask(GET_NEXT, 0, 0, &["1.3.6.1.2.1.1.6.0", "1.3.6.1.2.1.31.1.1.1.19.2"]);
        assert_eq!(found[0].0, oid("1.3.6.1.2.1.2.1.0"));
        assert_eq!(found[1], (oid("1.3.6.1.2.1.31.1.1.1.19.2"), ber::END_OF_MIB_VIEW));
    }

    #[test]
    fn bulk_honours_non_repeaters_and_repetitions() {
        let (_, _, found) =
            ask(GET_BULK, 1, 2, &["1.3.6.1.2.1.1.3", "1.3.6.1.2.1.31.1.1.1.6", "1.3.6.1.2.1.31.1.1.1.10"]);
        let names: Vec<Oid> = found.into_iter().map(|(name, _)| name).collect();
        let expected = [
            "1.3.6.1.2.1.1.3.0",
            "1.3.6.1.2.1.31.1.1.1.6.1",
            "1.3.6.1.2.1.31.1.1.1.10.1",
            "1.3.6.1.2.1.31.1.1.1.6.2",
            "1.3.6.1.2.1.31.1.1.1.10.2",
        ];
        assert_eq!(names, expected.map(oid));
    }

    #[test]
    fn bulk_is_cut_at_the_size_of_a_datagram_and_at_the_end_of_the_view() {
        // System, ifNumber, both ports, one duplex, and the end of the view.
        let whole_walk = 6 + 1 + 2 * (17 + 8) + 1 + 1;
        assert_eq!(ask(GET_BULK, 0, i64::from(i32::MAX), &["1.3"]).2.len(), whole_walk);
        let (status, _, found) = ask(GET_BULK, 0, i64::from(i32::MAX), &["1.3", "1.3"]);
        assert_eq!(status, 0);
        assert!((40..2 * whole_walk).contains(&found.len()), "{} bindings", found.len());
        let (_, _, found) = ask(GET_BULK, 0, 50, &["1.3.6.1.2.1.31.1.1.1.19.1"]);
        assert_eq!(found.iter().map(|(_, tag)| *tag).collect::<Vec<_>>(), [ber::TIME_TICKS, ber::END_OF_MIB_VIEW]);
        assert_eq!(ask(GET_BULK, 5, i64::from(i32::MAX), &["1.3"]).2.len(), 1);
        assert!(ask(GET_BULK, -1, -1, &["1.3"]).2.is_empty());
    }

    #[test]
    fn a_get_that_does_not_fit_is_too_big_and_empty() {
        let (status, index, found) = ask(GET, 0, 0, &["1.3.6.1.2.1.31.1.1.1.6.1"; 100]);
        assert_eq!((status, index, found.len()), (TOO_BIG, 0, 0));
    }

    #[test]
    fn set_is_refused_and_echoes_its_bindings() {
        let (status, index, found) = ask(SET, 0, 0, &["1.3.6.1.2.1.1.5.0"]);
        assert_eq!((status, index), (NOT_WRITABLE, 1));
        assert_eq!(found, [(oid("1.3.6.1.2.1.1.5.0"), ber::NULL)]);
        assert_eq!(ask(SET, 0, 0, &["1.3.6.1.9.9.0"]).0, NO_ACCESS);
    }

    #[test]
    fn strangers_and_other_versions_hear_nothing() {
        let packet = request(GET, b"public", 0, 0, &["1.3.6.1.2.1.1.3.0"]);
        assert_eq!(answer(&packet, COMMUNITY, || unreachable!("built for a stranger")), Ok(None));
        let mut packet = request(GET, COMMUNITY, 0, 0, &["1.3.6.1.2.1.1.3.0"]);
        packet[4] = 0;
        assert_eq!(answer(&packet, COMMUNITY, tree), Ok(None));
        let packet = request(RESPONSE, COMMUNITY, 0, 0, &["1.3.6.1.2.1.1.3.0"]);
        assert_eq!(answer(&packet, COMMUNITY, tree), Ok(None));
    }

    #[test]
    fn damaged_packets_never_panic() {
        let packet = request(GET_BULK, COMMUNITY, 0, 10, &["1.3.6.1.2.1.1", "1.3.6.1.2.1.31"]);
        for cut in 0..packet.len() {
            assert!(answer(&packet[..cut], COMMUNITY, tree).is_err(), "cut at {cut}");
        }
        for at in 0..packet.len() {
            for bit in 0..8 {
                let mut damaged = packet.clone();
                damaged[at] ^= 1 << bit;
                if let Ok(Some(reply)) = answer(&damaged, COMMUNITY, tree) {
                    assert!(reply.len() <= MAX_MESSAGE);
                }
            }
        }
    }
}
