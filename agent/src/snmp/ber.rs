//! The little BER (X.690) that requests need. Reading is snmp2's.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
/// A NULL with its length.
pub(super) const NULL: [u8; 2] = [0x05, 0x00];

/// Tag, definite length, contents.
pub(super) fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(contents.len() + 6);
    out.push(tag);
    match u8::try_from(contents.len()) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let length = contents.len().to_be_bytes();
            let digits = &length[length.iter().take_while(|byte| **byte == 0).count()..];
            out.push(0x80 | digits.len() as u8);
            out.extend_from_slice(digits);
        }
    }
    out.extend_from_slice(contents);
    out
}

/// An INTEGER in its shortest form.
pub(super) fn integer(value: i64) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let redundant =
        bytes.windows(2).take_while(|pair| matches!((pair[0], pair[1] & 0x80), (0x00, 0x00) | (0xff, 0x80))).count();
    tlv(INTEGER, &bytes[redundant..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use snmp2::AsnReader;

    #[test]
    fn lengths_take_the_short_form_below_128() {
        assert_eq!(tlv(OCTET_STRING, &[7; 127])[..2], [0x04, 127]);
        assert_eq!(tlv(OCTET_STRING, &[7; 128])[..3], [0x04, 0x81, 128]);
        assert_eq!(tlv(OCTET_STRING, &[7; 300])[..4], [0x04, 0x82, 1, 44]);
    }

    #[test]
    fn integers_are_shortest() {
        assert_eq!(integer(0), [2, 1, 0]);
        assert_eq!(integer(127), [2, 1, 127]);
        assert_eq!(integer(128), [2, 2, 0, 128]);
        assert_eq!(integer(-1), [2, 1, 0xff]);
        assert_eq!(integer(65_507), [2, 3, 0, 0xff, 0xe3]);
    }

    proptest! {
        #[test]
        fn integers_are_read_back(value in any::<i64>()) {
            prop_assert_eq!(AsnReader::from_bytes(&integer(value)).read_asn_integer(), Ok(value));
        }

        #[test]
        fn strings_are_read_back(bytes in prop::collection::vec(any::<u8>(), 0..1_000)) {
            let encoded = tlv(OCTET_STRING, &bytes);
            prop_assert_eq!(AsnReader::from_bytes(&encoded).read_asn_octetstring(), Ok(bytes.as_slice()));
        }
    }
}
