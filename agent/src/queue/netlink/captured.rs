//! Datagrams that were exchanged with a kernel, in hexadecimal. Each backend has its own; what reads them is here.

use proptest::prelude::*;

/// One datagram.
#[derive(Clone, Copy)]
pub struct Captured(pub &'static str);

impl Captured {
    pub fn bytes(&self) -> Vec<u8> {
        let pairs = self.0.as_bytes().chunks(2);
        pairs.map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }
}

/// One of these with some bytes changed and its end cut off: nearly right bytes reach further in than random ones.
pub fn damaged(all: &'static [Captured]) -> impl Strategy<Value = Vec<u8>> {
    let damage = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    let cut = prop_oneof![Just(None::<prop::sample::Index>), any::<prop::sample::Index>().prop_map(Some)];
    (0..all.len(), damage, cut).prop_map(move |(which, damage, cut)| {
        let mut bytes = all[which].bytes();
        for (place, value) in damage {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        bytes
    })
}
