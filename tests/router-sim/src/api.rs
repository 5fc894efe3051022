//! The RouterOS binary API over TCP, bare or through TLS: one thread a client, no lock held while writing.

use std::{
    io::{BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use rustls::ServerConfig;

use crate::{
    router::Router,
    session::Session,
    tls,
    words::{self, Bounds, Sentence, WordError},
};

/// Clients at once; a further one is closed at once.
pub const MAX_CLIENTS: usize = 64;

/// Accepts for ever; through TLS where it is told how.
pub fn serve(listener: &TcpListener, router: &Arc<Router>, secured: Option<&Arc<ServerConfig>>) {
    let open = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        let Ok(stream) = stream else {
            // Out of file descriptors, most likely: wait for some to come back.
            thread::sleep(Duration::from_millis(50));
            continue;
        };
        let seat = Seat::take(&open);
        if seat.number > MAX_CLIENTS {
            continue;
        }
        let (router, secured) = (Arc::clone(router), secured.cloned());
        // Where no thread can be had, the closure is dropped, and the stream and the seat with it.
        let _ = thread::Builder::new().name("api client".to_owned()).spawn(move || {
            let _seat = seat;
            // The only failures are the peer's: it went away, or wrote what is no sentence.
            let _ = attend(stream, secured, &router);
        });
    }
}

/// Counts a client for as long as it lives, also through a panic.
struct Seat {
    open: Arc<AtomicUsize>,
    number: usize,
}

impl Seat {
    fn take(open: &Arc<AtomicUsize>) -> Self {
        Self { open: Arc::clone(open), number: open.fetch_add(1, Ordering::Relaxed) + 1 }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A client that does not read for so long is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

fn attend(mut stream: TcpStream, secured: Option<Arc<ServerConfig>>, router: &Router) -> Result<(), WordError> {
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
    match secured {
        None => converse(&mut stream, router),
        Some(config) => tls::through(stream, config, |stream| converse(stream, router))?,
    }
}

fn converse(stream: &mut (impl Read + Write), router: &Router) -> Result<(), WordError> {
    let mut stream = BufReader::new(stream);
    let mut session = Session::default();
    loop {
        let bounds = if session.is_logged_in() { Bounds::AFTER_LOGIN } else { Bounds::BEFORE_LOGIN };
        let Some(words) = words::read_sentence(&mut stream, bounds)? else { return Ok(()) };
        let Some(sentence) = Sentence::from_words(words) else { continue };
        let answer = session.answer(router, &sentence);
        let mut out = Vec::new();
        for reply in &answer.replies {
            reply.push_to(&mut out, sentence.tag.as_deref());
        }
        stream.get_mut().write_all(&out)?;
        stream.get_mut().flush()?;
        if answer.closes {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::{config::for_tests, version::RosVersion};

    fn serving() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let router = Arc::new(Router::start(for_tests(RosVersion::V7_18), None));
        thread::spawn(move || serve(&listener, &router, None));
        address
    }

    fn send(stream: &mut TcpStream, list: &[&str]) {
        let mut out = Vec::new();
        list.iter().for_each(|word| words::push_word(&mut out, word.as_bytes()));
        words::end_sentence(&mut out);
        stream.write_all(&out).unwrap();
    }

    fn receive(stream: &mut TcpStream) -> Vec<String> {
        let words = words::read_sentence(stream, Bounds::AFTER_LOGIN).unwrap().expect("a sentence, not a close");
        words.into_iter().map(|word| String::from_utf8(word).unwrap()).collect()
    }

    fn connect(address: SocketAddr) -> TcpStream {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream
    }

    #[test]
    fn many_clients_talk_at_once_and_see_each_others_changes() {
        let address = serving();
        let mut clients: Vec<TcpStream> = (0..8).map(|_| connect(address)).collect();
        for (at, client) in clients.iter_mut().enumerate() {
            send(client, &["/login", "=name=takar", "=password=secret", &format!(".tag={at}")]);
            assert_eq!(receive(client), ["!done".to_owned(), format!(".tag={at}")]);
        }
        let (first, others) = clients.split_first_mut().unwrap();
        send(first, &["/queue/simple/set", "=.id=*1", "=max-limit=7M/8M"]);
        assert_eq!(receive(first), ["!done"]);
        for client in others {
            send(client, &["/queue/simple/print", "=.proplist=max-limit", "?name=site"]);
            assert_eq!(receive(client), ["!re", "=max-limit=7000000/8000000"]);
            assert_eq!(receive(client), ["!done"]);
        }
    }

    #[test]
    fn a_command_before_login_is_fatal_and_closes() {
        let mut client = connect(serving());
        send(&mut client, &["/interface/print"]);
        assert_eq!(receive(&mut client), ["!fatal", "not logged in"]);
        assert_eq!(client.read(&mut [0; 8]).unwrap(), 0);
    }

    #[test]
    fn what_is_no_sentence_closes_only_its_own_connection() {
        let address = serving();
        let mut good = connect(address);
        let mut bad = connect(address);
        bad.write_all(&[0xff; 4]).unwrap();
        // Unread bytes may turn the close into a reset.
        assert!(matches!(bad.read(&mut [0; 8]), Ok(0) | Err(_)));
        send(&mut good, &["/login", "=name=takar", "=password=secret"]);
        assert_eq!(receive(&mut good), ["!done"]);
    }
}
