//! The RouterOS API: the same sentences however the bytes are cut, the same bytes again where they were in their
//! shortest form, and no more memory than a sentence may take however much comes.
#![no_main]

#[path = "../rooms/heap.rs"]
mod heap;

use libfuzzer_sys::fuzz_target;
use takar_agent::queue::routeros::{
    codec::{CodecError, Decoder, MAX_SENTENCE, MAX_WORD, MAX_WORDS, Sentence, encode},
    fuzz_codec,
    row::{QueueRow, Table},
};

#[global_allocator]
static HEAP: heap::Counting = heap::Counting;

/// More than the bound on what a decoder may hold, and than any input.
const FLOOD: usize = 1024 * 1024;

fuzz_target!(|data: &[u8]| {
    fuzz_codec(data);
    // `head | up to 15 lengths of pieces | what the router sends`.
    let Some((&head, rest)) = data.split_first() else { return };
    let (lengths, stream) = rest.split_at(usize::from(head & 0x0f).min(rest.len()));
    let (sentences, failed) = decode(&[stream]);
    assert_eq!(decode(&cut(stream, lengths)), (sentences.clone(), failed));

    let mut again = Vec::new();
    for sentence in &sentences {
        let bytes: usize = sentence.words().iter().map(Vec::len).sum();
        assert!(bytes <= MAX_SENTENCE && (1..=MAX_WORDS).contains(&sentence.words().len()));
        assert!(sentence.words().iter().all(|word| (1..=MAX_WORD).contains(&word.len())));
        again.extend(encode(sentence.words()).expect("what was taken can be sent"));
        // Whatever the router prints is a queue or one error, whose text must form.
        for table in Table::BOTH {
            let _ = QueueRow::parse(table, sentence).map_err(|error| error.to_string());
        }
    }
    // Longer length forms and empty sentences are taken and not sent; of the same length it is the same.
    assert!(again.len() <= stream.len());
    assert!(again.len() < stream.len() || again == stream);
    assert_eq!(decode(&[again.as_slice()]), (sentences, None));

    // One input in sixteen, for it is slow.
    if head >= 0xf0 && !stream.is_empty() {
        // Repeated up to what a read brings, for byte by byte it takes too long.
        let read = stream.repeat(1024 / stream.len() + 1);
        let most = heap::most_during(|| flood(&read));
        // Twice, for a vector that grows; the words' own headers are small beside it.
        let bound = 2 * (MAX_SENTENCE + MAX_WORD + read.len());
        assert!(most <= bound, "{most} bytes held, expected at most {bound}");
    }
});

fn decode(pieces: &[&[u8]]) -> (Vec<Sentence>, Option<CodecError>) {
    let (mut decoder, mut sentences) = (Decoder::default(), Vec::new());
    for piece in pieces {
        decoder.feed(piece);
        loop {
            match decoder.next_sentence() {
                Ok(Some(sentence)) => sentences.push(sentence),
                Ok(None) => break,
                Err(error) => {
                    decoder.feed(b"\x05!done\x00");
                    assert_eq!(decoder.next_sentence(), Err(error), "a failed decoder stays failed");
                    assert!(!decoder.is_idle());
                    return (sentences, Some(error));
                }
            }
        }
    }
    (sentences, None)
}

/// Pieces of these lengths in turn; a length of zero is a read that brought nothing.
fn cut<'a>(stream: &'a [u8], lengths: &[u8]) -> Vec<&'a [u8]> {
    let (mut pieces, mut rest) = (Vec::new(), stream);
    for length in lengths {
        let (piece, more) = rest.split_at(usize::from(*length).min(rest.len()));
        pieces.push(piece);
        rest = more;
    }
    pieces.push(rest);
    pieces
}

fn flood(read: &[u8]) {
    let mut decoder = Decoder::default();
    for _ in 0..FLOOD / read.len() {
        decoder.feed(read);
        while let Ok(Some(_)) = decoder.next_sentence() {}
    }
}
