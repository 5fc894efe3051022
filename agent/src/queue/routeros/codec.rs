//! Words and sentences of the RouterOS API, without a socket.
//!
//! A word is a length and that many bytes; a word of length zero ends a sentence. The length takes one to five
//! bytes, the leading bits of the first saying how many (MikroTik manual, "API", "Protocol"):
//!
//! | length | first byte | bytes |
//! |---|---|---|
//! | below 0x80 | `0xxxxxxx` | 1 |
//! | below 0x4000 | `10xxxxxx` | 2 |
//! | below 0x200000 | `110xxxxx` | 3 |
//! | below 0x10000000 | `1110xxxx` | 4 |
//! | any | `11110000` | 5 |
//!
//! What a router sends is bounded here, so that a broken or hostile one costs a connection and no memory.

use std::mem;

/// Longest word taken or sent, in bytes. The longest in use are comments and scripts, far below it.
pub const MAX_WORD: usize = 64 * 1024;
/// Most words in a sentence. A printed simple queue has about 40.
pub const MAX_WORDS: usize = 256;
/// Most bytes in all words of a sentence together: 256 words of 64 KiB would be 16 MiB, more than some routers have.
pub const MAX_SENTENCE: usize = 256 * 1024;

/// Why bytes are no sentence, or words cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    #[error("length byte {0:#04x} is reserved")]
    ReservedLength(u8),
    #[error("word of {0} bytes, expected at most {most}", most = MAX_WORD)]
    WordTooLong(usize),
    #[error("sentence of more than {most} words", most = MAX_WORDS)]
    TooManyWords,
    #[error("sentence of more than {most} bytes", most = MAX_SENTENCE)]
    SentenceTooLong,
    /// Only when encoding: an empty word would end the sentence where it stands.
    #[error("empty word or sentence")]
    Empty,
}

/// A received sentence: at least one word, none of them empty. Words are bytes; names need not be UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    words: Vec<Vec<u8>>,
}

impl Sentence {
    pub fn words(&self) -> &[Vec<u8>] {
        &self.words
    }

    /// The first word: `!re`, `!done`, `!trap`, `!fatal`, `!empty`.
    pub fn reply(&self) -> &[u8] {
        self.words.first().map_or(&[], Vec::as_slice)
    }

    /// The value of the first attribute word `=name=value`.
    pub fn attribute(&self, name: &str) -> Option<&[u8]> {
        self.words.iter().find_map(|word| word.strip_prefix(b"=")?.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
    }
}

/// The bytes of one sentence. Refuses what a [`Decoder`] would not take back.
pub fn encode<W: AsRef<[u8]>>(words: &[W]) -> Result<Vec<u8>, CodecError> {
    let mut bounds = Bounds::default();
    let mut bytes = Vec::new();
    for word in words {
        let word = word.as_ref();
        if word.is_empty() {
            return Err(CodecError::Empty);
        }
        bounds.add(word.len())?;
        encode_length(u32::try_from(word.len()).map_err(|_| CodecError::WordTooLong(word.len()))?, &mut bytes);
        bytes.extend_from_slice(word);
    }
    if bytes.is_empty() {
        return Err(CodecError::Empty);
    }
    bytes.push(0);
    Ok(bytes)
}

/// Takes bytes as they come and gives whole sentences. After an error it stays failed: where the next word begins
/// is no longer known.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    /// Where in `buffer` the first undecoded byte is.
    at: usize,
    /// The words of the sentence under way.
    words: Vec<Vec<u8>>,
    bounds: Bounds,
    failed: Option<CodecError>,
}

impl Decoder {
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        if self.at > 0 {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// `None`: more bytes are needed. Empty sentences are skipped, as the manual asks.
    pub fn next_sentence(&mut self) -> Result<Option<Sentence>, CodecError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let outcome = self.decode();
        if let Err(error) = &outcome {
            *self = Self { failed: Some(*error), ..Self::default() };
        }
        outcome
    }

    /// Nothing decoded in part and nothing left over.
    pub fn is_idle(&self) -> bool {
        self.failed.is_none() && self.words.is_empty() && self.at == self.buffer.len()
    }

    fn decode(&mut self) -> Result<Option<Sentence>, CodecError> {
        loop {
            let rest = self.buffer.get(self.at..).unwrap_or_default();
            let Some((length, header)) = decode_length(rest)? else { return Ok(None) };
            if length == 0 {
                self.at += header;
                self.bounds = Bounds::default();
                if self.words.is_empty() {
                    continue;
                }
                return Ok(Some(Sentence { words: mem::take(&mut self.words) }));
            }
            // Checked before the word has come, so that a length alone cannot make the buffer grow.
            let mut bounds = self.bounds;
            bounds.add(length)?;
            let Some(word) = rest.get(header..header + length) else { return Ok(None) };
            self.words.push(word.to_vec());
            self.at += header + length;
            self.bounds = bounds;
        }
    }
}

/// How much of a sentence there is so far.
#[derive(Clone, Copy, Debug, Default)]
struct Bounds {
    words: usize,
    bytes: usize,
}

impl Bounds {
    fn add(&mut self, word: usize) -> Result<(), CodecError> {
        if word > MAX_WORD {
            return Err(CodecError::WordTooLong(word));
        }
        self.words += 1;
        self.bytes += word;
        if self.words > MAX_WORDS {
            return Err(CodecError::TooManyWords);
        }
        if self.bytes > MAX_SENTENCE {
            return Err(CodecError::SentenceTooLong);
        }
        Ok(())
    }
}

fn encode_length(length: u32, out: &mut Vec<u8>) {
    let [b3, b2, b1, b0] = length.to_be_bytes();
    match length {
        0..=0x7f => out.push(b0),
        0x80..=0x3fff => out.extend_from_slice(&[b1 | 0x80, b0]),
        0x4000..=0x1f_ffff => out.extend_from_slice(&[b2 | 0xc0, b1, b0]),
        0x20_0000..=0x0fff_ffff => out.extend_from_slice(&[b3 | 0xe0, b2, b1, b0]),
        _ => out.extend_from_slice(&[0xf0, b3, b2, b1, b0]),
    }
}

/// The length and how many bytes it took; `None` when it is not all there. Longer forms than needed are taken.
fn decode_length(bytes: &[u8]) -> Result<Option<(usize, usize)>, CodecError> {
    let Some((&first, rest)) = bytes.split_first() else { return Ok(None) };
    let (head, more) = match first {
        0x00..=0x7f => (first, 0),
        0x80..=0xbf => (first & 0x3f, 1),
        0xc0..=0xdf => (first & 0x1f, 2),
        0xe0..=0xef => (first & 0x0f, 3),
        0xf0 => (0, 4),
        0xf1..=0xff => return Err(CodecError::ReservedLength(first)),
    };
    let Some(tail) = rest.get(..more) else { return Ok(None) };
    let length = tail.iter().fold(u32::from(head), |length, byte| length << 8 | u32::from(*byte));
    Ok(Some((usize::try_from(length).unwrap_or(usize::MAX), 1 + more)))
}

/// The fuzzer's way in: decodes `data` whole and in pieces (of as many bytes as its first byte says), which must
/// agree, and what decodes must encode and decode to itself. Panics where it does not.
pub fn fuzz_codec(data: &[u8]) {
    let Some((&size, data)) = data.split_first() else { return };
    let whole = decode_all(std::iter::once(data));
    assert_eq!(whole, decode_all(data.chunks(usize::from(size).max(1))), "pieces of {size} bytes");
    for sentence in whole.0 {
        let again = encode(sentence.words()).map(|bytes| decode_all(std::iter::once(bytes.as_slice())));
        assert_eq!(again, Ok((vec![sentence], None)));
    }
}

fn decode_all<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Sentence>, Option<CodecError>) {
    let mut decoder = Decoder::default();
    let mut sentences = Vec::new();
    for piece in pieces {
        decoder.feed(piece);
        loop {
            match decoder.next_sentence() {
                Ok(Some(sentence)) => sentences.push(sentence),
                Ok(None) => break,
                Err(error) => return (sentences, Some(error)),
            }
        }
    }
    (sentences, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    #[test]
    fn all_five_length_forms_at_their_edges() {
        let forms: [(u32, &[u8]); 10] = [
            (0, &[0x00]),
            (0x7f, &[0x7f]),
            (0x80, &[0x80, 0x80]),
            (0x3fff, &[0xbf, 0xff]),
            (0x4000, &[0xc0, 0x40, 0x00]),
            (0x1f_ffff, &[0xdf, 0xff, 0xff]),
            (0x20_0000, &[0xe0, 0x20, 0x00, 0x00]),
            (0x0fff_ffff, &[0xef, 0xff, 0xff, 0xff]),
            (0x1000_0000, &[0xf0, 0x10, 0x00, 0x00, 0x00]),
            (u32::MAX, &[0xf0, 0xff, 0xff, 0xff, 0xff]),
        ];
        for (length, bytes) in forms {
            let mut encoded = Vec::new();
            encode_length(length, &mut encoded);
            assert_eq!(encoded, bytes, "{length:#x}");
            assert_eq!(decode_length(bytes), Ok(Some((length as usize, bytes.len()))));
            for short in 0..bytes.len() {
                assert_eq!(decode_length(&bytes[..short]), Ok(None), "{length:#x} cut to {short}");
            }
        }
    }

    #[test]
    fn a_login_as_the_manual_has_it() {
        let bytes = encode(&["/login", "=name=admin", "=password="]).unwrap();
        assert_eq!(bytes, b"\x06/login\x0b=name=admin\x0a=password=\x00");
    }

    #[test]
    fn attributes_are_found_by_their_whole_name() {
        let words = ["!re", "=.id=*1F", "=name=a=b", "=bytes=1/2", "=comment="].map(|word| word.as_bytes().to_vec());
        let sentence = Sentence { words: words.to_vec() };
        assert_eq!(sentence.reply(), b"!re");
        assert_eq!(sentence.attribute(".id"), Some(&b"*1F"[..]));
        assert_eq!(sentence.attribute("name"), Some(&b"a=b"[..]), "a value may hold the separator");
        assert_eq!(sentence.attribute("comment"), Some(&b""[..]));
        assert_eq!(sentence.attribute("byte"), None);
        assert_eq!(sentence.attribute("a"), None);
    }

    #[test]
    fn too_much_is_refused_from_the_length_alone_and_for_good() {
        let mut decoder = Decoder::default();
        decoder.feed(&[0xf0, 0xff, 0xff, 0xff, 0xff]);
        assert_eq!(decoder.next_sentence(), Err(CodecError::WordTooLong(u32::MAX as usize)));
        decoder.feed(b"\x05!done\x00");
        assert_eq!(decoder.next_sentence(), Err(CodecError::WordTooLong(u32::MAX as usize)));
        assert!(!decoder.is_idle());

        let mut decoder = Decoder::default();
        decoder.feed(&b"\x01a".repeat(MAX_WORDS));
        assert_eq!(decoder.next_sentence(), Ok(None));
        decoder.feed(b"\x01a");
        assert_eq!(decoder.next_sentence(), Err(CodecError::TooManyWords));

        let mut decoder = Decoder::default();
        decoder.feed(&[0xf8]);
        assert_eq!(decoder.next_sentence(), Err(CodecError::ReservedLength(0xf8)));
    }

    #[test]
    fn what_cannot_travel_is_not_encoded() {
        assert_eq!(encode(&["/print", "", "=x=y"]), Err(CodecError::Empty));
        assert_eq!(encode::<&str>(&[]), Err(CodecError::Empty));
        assert_eq!(encode(&[vec![b'a'; MAX_WORD + 1]]), Err(CodecError::WordTooLong(MAX_WORD + 1)));
        assert_eq!(encode(&["a"; MAX_WORDS + 1]), Err(CodecError::TooManyWords));
        assert_eq!(encode(&vec![vec![b'a'; MAX_WORD]; 5]), Err(CodecError::SentenceTooLong));
        let largest = vec![vec![b'a'; MAX_WORD]; 4];
        let bytes = encode(&largest).unwrap();
        assert_eq!(decode_all(bytes.chunks(1000)), (vec![Sentence { words: largest }], None));
    }

    #[test]
    fn empty_sentences_are_skipped() {
        assert_eq!(decode_all(std::iter::once(&b"\x00\x00\x05!done\x00\x00"[..])).0.len(), 1);
    }

    proptest! {
        #[test]
        fn sentences_survive_any_chunking(
            sentences in vec(vec(vec(any::<u8>(), 1..200), 1..8), 1..5),
            size in 1_usize..300,
        ) {
            let mut bytes = Vec::new();
            for words in &sentences {
                bytes.extend(encode(words).unwrap());
            }
            let expected: Vec<Sentence> = sentences.into_iter().map(|words| Sentence { words }).collect();
            prop_assert_eq!(decode_all(bytes.chunks(size)), (expected, None));
        }

        #[test]
        fn arbitrary_bytes_never_panic(data in vec(any::<u8>(), 0..2000)) {
            fuzz_codec(&data);
        }

        // Short lengths and terminators, so that most inputs hold whole sentences.
        #[test]
        fn nearly_valid_bytes_never_panic(data in vec(prop_oneof![4 => 0_u8..6, 1 => any::<u8>()], 0..600)) {
            fuzz_codec(&data);
        }
    }
}
