//! An HTB class as rtnetlink shows it, and the requests about classes.
//!
//! The layouts are those of include/uapi/linux/{rtnetlink,pkt_sched,gen_stats}.h, held against Linux 6.18 and
//! iproute2 6.1 (see `captured`).

use takar_shared::queue::ClassId;

use super::bucket::{Ticks, TimerHz};
use crate::queue::{
    QueueCounters,
    netlink::{
        message::{Builder, Fields, Malformed, NLM_F_ACK, NLM_F_DUMP, attribute, attributes},
        rate::ByteRate,
        tc::{Header, TCA_KIND, TCA_OPTIONS, TCA_STATS2, counters as read_counters},
    },
};

pub const RTM_NEWTCLASS: u16 = 40;
const RTM_GETTCLASS: u16 = 42;
const TCA_HTB_PARMS: u16 = 1;
const TCA_HTB_RATE64: u16 = 6;
const TCA_HTB_CEIL64: u16 = 7;
const TCA_HTB_OFFLOAD: u16 = 9;
const TC_LINKLAYER_UNAWARE: u8 = 0;
const TC_LINKLAYER_ETHERNET: u8 = 1;
/// Bytes of a `struct tc_htb_opt`.
const TC_HTB_OPT: usize = 44;
const KIND: &[u8] = b"htb\0";

/// One class, with all that a change must send again to leave it as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HtbClass {
    pub if_index: u32,
    pub classid: ClassId,
    parent: u32,
    /// The guarantee.
    pub rate: RateSpec,
    pub ceil: RateSpec,
    /// The bucket of `rate` (tc's burst), and of `ceil` (cburst).
    pub buffer: Ticks,
    pub cbuffer: Ticks,
    /// Bytes served at a turn when borrowing, and priority, of a leaf.
    quantum: u32,
    prio: u32,
    /// The network card shapes, not the kernel.
    pub offloaded: bool,
    /// A class counts drops of its leaf queue on arrival (a queue that drops later, like fq_codel, counts those
    /// itself); an inner class counts bytes and overlimits only. All but bytes are 32 bits wide in the kernel.
    pub counters: QueueCounters,
}

/// `struct tc_ratespec`: a rate, and what is added to every packet's length when it is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateSpec {
    cell_log: u8,
    linklayer: u8,
    overhead: u16,
    cell_align: u16,
    mpu: u16,
    pub rate: ByteRate,
}

impl HtbClass {
    /// Reads the payload of an RTM_NEWTCLASS; `None` for a class of another kind of queue.
    pub fn parse(payload: &[u8]) -> Result<Option<Self>, Malformed> {
        let (Header { if_index, handle, parent }, rest) = Header::parse(payload)?;
        let (mut is_htb, mut options, mut counters) = (false, None, QueueCounters::default());
        for found in attributes(rest) {
            match found? {
                (TCA_KIND, kind) => is_htb = kind == KIND,
                (TCA_OPTIONS, nested) => options = Some(nested),
                (TCA_STATS2, nested) => counters = read_counters(nested)?,
                _ => {}
            }
        }
        if !is_htb {
            return Ok(None);
        }
        let options = Options::parse(options.unwrap_or_default())?;
        let Parameters { rate, ceil, buffer, cbuffer, quantum, prio } = options.parameters;
        Ok(Some(Self {
            if_index,
            classid: ClassId(handle),
            parent,
            rate: rate.widened(options.rate64),
            ceil: ceil.widened(options.ceil64),
            buffer,
            cbuffer,
            quantum,
            prio,
            offloaded: options.offloaded,
            counters,
        }))
    }

    /// The class with other rates; a bucket keeps its bytes where its rate changes.
    pub fn with_rates(&self, rate: ByteRate, ceil: ByteRate, timer: TimerHz) -> Self {
        let carried = |bucket: Ticks, from, to| if from == to { bucket } else { bucket.carried(from, to, timer) };
        Self {
            rate: RateSpec { rate, ..self.rate },
            ceil: RateSpec { rate: ceil, ..self.ceil },
            buffer: carried(self.buffer, self.rate.rate, rate),
            cbuffer: carried(self.cbuffer, self.ceil.rate, ceil),
            ..self.clone()
        }
    }

    /// The request that gives the existing class these values: without NLM_F_CREATE none can be made by it.
    pub fn change(&self, sequence: u32) -> Vec<u8> {
        let mut options = attribute(TCA_HTB_PARMS, &self.parameters());
        for (kind, rate) in [(TCA_HTB_RATE64, self.rate.rate), (TCA_HTB_CEIL64, self.ceil.rate)] {
            if rate.0 > u64::from(u32::MAX) {
                options.extend(attribute(kind, &rate.0.to_ne_bytes()));
            }
        }
        let header = Header { if_index: self.if_index, handle: self.classid.0, parent: self.parent };
        Builder::new(RTM_NEWTCLASS, NLM_F_ACK, sequence)
            .bytes(&header.bytes())
            .attribute(TCA_KIND, KIND)
            .attribute(TCA_OPTIONS, &options)
            .finish()
    }

    /// `struct tc_htb_opt`. The quantum is sent as read: zero would have the kernel compute it from the new rate.
    fn parameters(&self) -> Vec<u8> {
        // The level is the kernel's to know; it ignores what is sent.
        let level = 0;
        let mut bytes = self.rate.bytes();
        bytes.extend(self.ceil.bytes());
        for word in [self.buffer.0, self.cbuffer.0, self.quantum, level, self.prio] {
            bytes.extend(word.to_ne_bytes());
        }
        bytes
    }
}

/// The request for all classes of one interface.
pub fn dump(if_index: u32, sequence: u32) -> Vec<u8> {
    let header = Header { if_index, handle: 0, parent: 0 };
    Builder::new(RTM_GETTCLASS, NLM_F_DUMP, sequence).bytes(&header.bytes()).finish()
}

impl RateSpec {
    fn parse(fields: &mut Fields<'_>) -> Result<Self, Malformed> {
        let (cell_log, linklayer) = (fields.u8()?, fields.u8()?);
        let (overhead, cell_align, mpu) = (fields.u16()?, fields.u16()?, fields.u16()?);
        Ok(Self { cell_log, linklayer, overhead, cell_align, mpu, rate: ByteRate(fields.u32()?.into()) })
    }

    /// From 2³² bytes/s on the 32-bit field is all ones and the rate stands in an attribute of its own.
    fn widened(self, rate64: Option<u64>) -> Self {
        Self { rate: rate64.map_or(self.rate, ByteRate), ..self }
    }

    fn bytes(&self) -> Vec<u8> {
        // Of a link layer it does not know the kernel wants a rate table, which nothing has used since Linux 3.8.
        let linklayer = if self.linklayer == TC_LINKLAYER_UNAWARE { TC_LINKLAYER_ETHERNET } else { self.linklayer };
        let mut bytes = vec![self.cell_log, linklayer];
        for half in [self.overhead, self.cell_align, self.mpu] {
            bytes.extend(half.to_ne_bytes());
        }
        bytes.extend(u32::try_from(self.rate.0).unwrap_or(u32::MAX).to_ne_bytes());
        bytes
    }
}

struct Parameters {
    rate: RateSpec,
    ceil: RateSpec,
    buffer: Ticks,
    cbuffer: Ticks,
    quantum: u32,
    prio: u32,
}

impl Parameters {
    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let what = "tc_htb_opt";
        if bytes.len() < TC_HTB_OPT {
            return Err(Malformed { what, expected: TC_HTB_OPT, got: bytes.len() });
        }
        let mut fields = Fields::new(what, bytes);
        let (rate, ceil) = (RateSpec::parse(&mut fields)?, RateSpec::parse(&mut fields)?);
        let (buffer, cbuffer, quantum) = (Ticks(fields.u32()?), Ticks(fields.u32()?), fields.u32()?);
        let (_level, prio) = (fields.u32()?, fields.u32()?);
        Ok(Self { rate, ceil, buffer, cbuffer, quantum, prio })
    }
}

struct Options {
    parameters: Parameters,
    rate64: Option<u64>,
    ceil64: Option<u64>,
    offloaded: bool,
}

impl Options {
    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let (mut parameters, mut rate64, mut ceil64, mut offloaded) = (None, None, None, false);
        for found in attributes(bytes) {
            match found? {
                (TCA_HTB_PARMS, payload) => parameters = Some(Parameters::parse(payload)?),
                (TCA_HTB_RATE64, payload) => rate64 = Some(Fields::new("TCA_HTB_RATE64", payload).u64()?),
                (TCA_HTB_CEIL64, payload) => ceil64 = Some(Fields::new("TCA_HTB_CEIL64", payload).u64()?),
                (TCA_HTB_OFFLOAD, _) => offloaded = true,
                _ => {}
            }
        }
        // Absent reads as empty, whose error says what was expected.
        let parameters = parameters.map_or_else(|| Parameters::parse(&[]), Ok)?;
        Ok(Self { parameters, rate64, ceil64, offloaded })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::{
        htb::captured,
        netlink::{captured::damaged, message::messages},
    };
    use proptest::prelude::*;

    const TIMER: TimerHz = TimerHz(1_000_000_000);

    /// A message's payload as the kernel would show it.
    fn parsed(message: &[u8]) -> HtbClass {
        HtbClass::parse(messages(message).next().unwrap().unwrap().payload).unwrap().unwrap()
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn a_class_is_what_tc_shows_of_it() {
        let busy = captured::BUSY.class();
        assert_eq!((busy.if_index, busy.classid, busy.parent), (3, ClassId(0x1_0010), 0x1_0001));
        assert_eq!((busy.rate.rate, busy.ceil.rate), (ByteRate(125_000), ByteRate(250_000)));
        assert_eq!((busy.rate.overhead, busy.rate.mpu, busy.rate.linklayer), (18, 64, TC_LINKLAYER_ETHERNET));
        assert_eq!((busy.quantum, busy.prio, busy.offloaded), (3000, 3, false));
        assert_eq!((busy.buffer.bytes(busy.rate.rate), busy.cbuffer.bytes(busy.ceil.rate)), (15 * 1024, 1600));
        let counters = QueueCounters { bytes: 2084, drops: 348, overlimits: 1, backlog: 52_100 };
        assert_eq!(busy.counters, counters);

        let root = captured::INNER.class();
        assert_eq!((root.classid, root.parent), (ClassId(0x1_0001), 0xffff_ffff));
        let fast = captured::FAST.class();
        assert_eq!((fast.rate.rate, fast.ceil.rate), (ByteRate(5_000_000_000), ByteRate(10_000_000_000)));
    }

    /// Requests that this kernel accepted, and whose values `tc` then showed.
    #[cfg(target_endian = "little")]
    #[test]
    fn requests_are_the_bytes_the_kernel_accepted() {
        assert_eq!(dump(3, 7), captured::DUMP.bytes());
        let raised = captured::BUSY.class().with_rates(ByteRate(500_000), ByteRate(1_000_000), TIMER);
        assert_eq!(raised.change(9), captured::RAISE.bytes());
        let wide = captured::BUSY.class().with_rates(ByteRate(5_000_000_000), ByteRate(10_000_000_000), TIMER);
        assert_eq!(wide.change(9), captured::RAISE_WIDE.bytes());
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn a_bucket_whose_rate_stays_is_not_touched() {
        let busy = captured::BUSY.class();
        let changed = busy.with_rates(busy.rate.rate, ByteRate(500_000), TIMER);
        assert_eq!(changed.buffer, busy.buffer);
        assert_eq!(changed.cbuffer, Ticks(50_000));
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn a_link_layer_the_kernel_would_want_a_table_for_is_never_sent() {
        let mut class = captured::BUSY.class();
        class.rate.linklayer = TC_LINKLAYER_UNAWARE;
        class.ceil.linklayer = 2;
        let sent = parsed(&class.change(1));
        assert_eq!((sent.rate.linklayer, sent.ceil.linklayer), (TC_LINKLAYER_ETHERNET, 2));
    }

    #[test]
    fn other_kinds_are_passed_over_and_htb_without_parameters_is_an_error() {
        let header = Header { if_index: 3, handle: 0x1_0010, parent: 0x1_0001 };
        let message = |kind: &[u8]| [header.bytes(), attribute(TCA_KIND, kind)].concat();
        assert_eq!(HtbClass::parse(&message(b"hfsc\0")), Ok(None));
        let error = HtbClass::parse(&message(KIND)).unwrap_err();
        assert_eq!(error.to_string(), "tc_htb_opt: expected at least 44 bytes, got 0");
        assert_eq!(HtbClass::parse(&[0; 19]).unwrap_err(), Malformed { what: "tcmsg", expected: 20, got: 19 });
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(data in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = HtbClass::parse(&data);
        }

        #[test]
        fn no_damage_to_what_the_kernel_sends_makes_reading_panic(bytes in damaged(&captured::ALL)) {
            for message in messages(&bytes).flatten() {
                let _ = HtbClass::parse(message.payload);
            }
        }

        /// Byte order does not matter here: what is sent reads back as it was.
        #[test]
        fn what_is_sent_reads_back(
            ids: [u32; 3], words: [u32; 4], halves: [u16; 3],
            linklayer in 1u8..=255, cell_log: u8, rate: u64, ceil: u64,
        ) {
            let spec = |rate| RateSpec {
                cell_log, linklayer, overhead: halves[0], cell_align: halves[1], mpu: halves[2], rate: ByteRate(rate),
            };
            let class = HtbClass {
                if_index: ids[0], classid: ClassId(ids[1]), parent: ids[2], rate: spec(rate), ceil: spec(ceil),
                buffer: Ticks(words[0]), cbuffer: Ticks(words[1]), quantum: words[2], prio: words[3],
                offloaded: false, counters: QueueCounters::default(),
            };
            prop_assert_eq!(parsed(&class.change(1)), class);
        }
    }
}
