//! The RouterOS API's framing: length-prefixed words, sentences that a zero-length word ends (MikroTik API manual,
//! "Protocol").

use std::{fmt, io, io::Read};

/// How much one sentence may hold; the router is strict until the client has logged in.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub word_bytes: u32,
    pub words: usize,
}

impl Bounds {
    pub const BEFORE_LOGIN: Self = Self { word_bytes: 1024, words: 16 };
    pub const AFTER_LOGIN: Self = Self { word_bytes: 64 * 1024, words: 1024 };
}

#[derive(Debug)]
pub enum WordError {
    Io(io::Error),
    /// A control byte of 0xF8 and above is reserved.
    Reserved(u8),
    TooLong {
        bytes: u32,
        allowed: u32,
    },
    TooMany {
        allowed: usize,
    },
}

impl fmt::Display for WordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(_) => f.write_str("connection failed"),
            Self::Reserved(byte) => write!(f, "control byte {byte:#04x} is reserved"),
            Self::TooLong { bytes, allowed } => write!(f, "word of {bytes} bytes, at most {allowed} are taken"),
            Self::TooMany { allowed } => write!(f, "sentence of more than {allowed} words"),
        }
    }
}

impl std::error::Error for WordError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Reserved(_) | Self::TooLong { .. } | Self::TooMany { .. } => None,
        }
    }
}

impl From<io::Error> for WordError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// What a client asks, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sentence {
    pub command: String,
    /// `=name=value`, in their order. A word without a second `=` has an empty value.
    pub attributes: Vec<(String, String)>,
    /// The words that begin with `?`, in their order.
    pub queries: Vec<String>,
    pub tag: Option<String>,
}

impl Sentence {
    /// `None` for an empty sentence, which the router ignores.
    pub fn from_words(words: Vec<Vec<u8>>) -> Option<Self> {
        let mut words = words.into_iter().map(|word| String::from_utf8_lossy(&word).into_owned());
        let mut sentence = Self { command: words.next()?, ..Self::default() };
        for word in words {
            if word.starts_with('?') {
                sentence.queries.push(word);
            } else if let Some(tag) = word.strip_prefix(".tag=") {
                sentence.tag = Some(tag.to_owned());
            } else {
                let body = word.strip_prefix('=').unwrap_or(&word);
                let (name, value) = body.split_once('=').unwrap_or((body, ""));
                sentence.attributes.push((name.to_owned(), value.to_owned()));
            }
        }
        Some(sentence)
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(held, _)| held == name).map(|(_, value)| value.as_str())
    }
}

/// Reads up to the ending zero word. `None` when the peer closed between sentences.
pub fn read_sentence(from: &mut impl Read, bounds: Bounds) -> Result<Option<Vec<Vec<u8>>>, WordError> {
    let mut words = Vec::new();
    loop {
        let length = match read_length(from) {
            Err(WordError::Io(error)) if error.kind() == io::ErrorKind::UnexpectedEof && words.is_empty() => {
                return Ok(None);
            }
            length => length?,
        };
        if length == 0 {
            return Ok(Some(words));
        }
        if length > bounds.word_bytes {
            return Err(WordError::TooLong { bytes: length, allowed: bounds.word_bytes });
        }
        if words.len() >= bounds.words {
            return Err(WordError::TooMany { allowed: bounds.words });
        }
        let mut word = vec![0; length as usize];
        from.read_exact(&mut word)?;
        words.push(word);
    }
}

/// Appends one word with its length. A word past 4 GiB cannot exist here.
pub fn push_word(out: &mut Vec<u8>, word: &[u8]) {
    push_length(out, u32::try_from(word.len()).unwrap_or(u32::MAX));
    out.extend_from_slice(word);
}

/// Ends a sentence.
pub fn end_sentence(out: &mut Vec<u8>) {
    out.push(0);
}

fn push_length(out: &mut Vec<u8>, length: u32) {
    let [a, b, c, d] = length.to_be_bytes();
    match length {
        0..0x80 => out.push(d),
        0x80..0x4000 => out.extend_from_slice(&[c | 0x80, d]),
        0x4000..0x20_0000 => out.extend_from_slice(&[b | 0xc0, c, d]),
        0x20_0000..0x1000_0000 => out.extend_from_slice(&[a | 0xe0, b, c, d]),
        _ => out.extend_from_slice(&[0xf0, a, b, c, d]),
    }
}

fn read_length(from: &mut impl Read) -> Result<u32, WordError> {
    let first = read_byte(from)?;
    let (head, more) = match first {
        0..0x80 => (first, 0),
        0x80..0xc0 => (first & 0x3f, 1),
        0xc0..0xe0 => (first & 0x1f, 2),
        0xe0..0xf0 => (first & 0x0f, 3),
        0xf0..0xf8 => (0, 4),
        0xf8.. => return Err(WordError::Reserved(first)),
    };
    let mut length = u32::from(head);
    for _ in 0..more {
        length = length << 8 | u32::from(read_byte(from)?);
    }
    Ok(length)
}

fn read_byte(from: &mut impl Read) -> io::Result<u8> {
    let mut byte = [0];
    from.read_exact(&mut byte)?;
    let [byte] = byte;
    Ok(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(bytes: &[u8], bounds: Bounds) -> Result<Option<Vec<Vec<u8>>>, WordError> {
        read_sentence(&mut io::Cursor::new(bytes), bounds)
    }

    #[test]
    fn lengths_take_the_forms_of_the_manual() {
        for (length, bytes) in [
            (0_u32, vec![0]),
            (0x7f, vec![0x7f]),
            (0x80, vec![0x80, 0x80]),
            (0x3fff, vec![0xbf, 0xff]),
            (0x4000, vec![0xc0, 0x40, 0x00]),
            (0x1f_ffff, vec![0xdf, 0xff, 0xff]),
            (0x20_0000, vec![0xe0, 0x20, 0x00, 0x00]),
            (0xfff_ffff, vec![0xef, 0xff, 0xff, 0xff]),
            (0x1000_0000, vec![0xf0, 0x10, 0x00, 0x00, 0x00]),
            (0xffff_ffff, vec![0xf0, 0xff, 0xff, 0xff, 0xff]),
        ] {
            let mut out = Vec::new();
            push_length(&mut out, length);
            assert_eq!(out, bytes, "{length:#x}");
            assert_eq!(read_length(&mut io::Cursor::new(out)).unwrap(), length);
        }
    }

    #[test]
    fn a_sentence_comes_back_as_it_was_written() {
        let words = [b"/queue/simple/print".to_vec(), vec![b'x'; 300], vec![b'y'; 20_000]];
        let mut out = Vec::new();
        words.iter().for_each(|word| push_word(&mut out, word));
        end_sentence(&mut out);
        assert_eq!(read_all(&out, Bounds::AFTER_LOGIN).unwrap().unwrap(), words);
    }

    #[test]
    fn a_close_between_sentences_is_an_end_and_elsewhere_an_error() {
        assert!(read_all(b"", Bounds::AFTER_LOGIN).unwrap().is_none());
        assert!(matches!(read_all(b"\x03/a", Bounds::AFTER_LOGIN), Err(WordError::Io(_))));
        assert!(matches!(read_all(b"\x02/a", Bounds::AFTER_LOGIN), Err(WordError::Io(_))));
    }

    #[test]
    fn excess_is_refused_before_it_is_read() {
        let huge = read_all(&[0xf0, 0xff, 0xff, 0xff, 0xff], Bounds::AFTER_LOGIN);
        assert!(matches!(huge, Err(WordError::TooLong { bytes: u32::MAX, .. })));
        let many = read_all(&b"\x01a".repeat(17), Bounds::BEFORE_LOGIN);
        assert!(matches!(many, Err(WordError::TooMany { allowed: 16 })));
        assert!(matches!(read_all(&[0xf8], Bounds::AFTER_LOGIN), Err(WordError::Reserved(0xf8))));
    }

    #[test]
    fn words_are_told_apart_by_their_first_characters() {
        let words = ["/queue/simple/set", "=.id=*1", "=comment=a=b", "=detail", "?name=x", ".tag=7", ".proplist=name"];
        let sentence = Sentence::from_words(words.iter().map(|word| word.as_bytes().to_vec()).collect()).unwrap();
        assert_eq!(sentence.command, "/queue/simple/set");
        assert_eq!(sentence.attribute(".id"), Some("*1"));
        assert_eq!(sentence.attribute("comment"), Some("a=b"));
        assert_eq!(sentence.attribute("detail"), Some(""));
        assert_eq!(sentence.attribute(".proplist"), Some("name"));
        assert_eq!(sentence.queries, ["?name=x"]);
        assert_eq!(sentence.tag.as_deref(), Some("7"));
        assert_eq!(Sentence::from_words(Vec::new()), None);
    }
}
