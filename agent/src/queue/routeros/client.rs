//! One connection to a RouterOS API service, made when first needed and dropped after any error.
//!
//! One command is outstanding at a time, so replies need no tags. After a timeout or a broken sentence nobody can
//! say which reply belongs to which command, hence a new connection; a command cut short by its caller (a dropped
//! future) drops the connection too.

use std::{fmt, io, time::Duration};

use md5::{Digest as _, Md5};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    codec::{self, Decoder, Sentence},
    transport::{Certificate, Transport},
};
use crate::queue::QueueError;

/// Most memory that one reply may take, counted as its bytes and 32 more a word. About 1,400 queues as printed here.
const MAX_REPLY: usize = 1024 * 1024;

/// Longest text of the router's that goes into an error, in characters.
const MAX_MESSAGE: usize = 200;

/// How a router is reached. `Debug` hides the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Access {
    /// `host:port`; the API is usually at 8728, API-SSL at 8729.
    pub address: String,
    pub user: String,
    pub password: String,
    /// With it API-SSL; without, the password and all else cross the way in the clear.
    pub certificate: Option<Certificate>,
    /// Bounds connecting with login, and each command.
    pub timeout: Duration,
}

pub struct Client {
    access: Access,
    // Boxed: a decoder and a socket would make this variant of `AnyBackend` several times the size of the others.
    link: Option<Box<Link>>,
}

/// A command's reply that ended well.
#[derive(Debug)]
pub struct Reply {
    /// The `!re` sentences, in order.
    pub rows: Vec<Sentence>,
    pub done: Sentence,
}

impl Client {
    /// Connects to nothing yet.
    pub fn new(access: Access) -> Self {
        Self { access, link: None }
    }

    pub fn address(&self) -> &str {
        &self.access.address
    }

    /// A command that only reads: asked once more on a new connection where a kept one turns out to be closed, as
    /// after a restart of the router.
    pub async fn ask(&mut self, words: &[Vec<u8>]) -> Result<Reply, QueueError> {
        let kept = self.link.is_some();
        match self.tell(words).await {
            Err(QueueError::Unreachable { .. }) if kept => self.tell(words).await,
            outcome => outcome,
        }
    }

    /// A command sent at most once. [`QueueError::Refused`] is the router's `!trap`.
    pub async fn tell(&mut self, words: &[Vec<u8>]) -> Result<Reply, QueueError> {
        let kept = self.link.take().filter(|link| link.is_quiet());
        let mut link = match kept {
            Some(link) => link,
            None => self.within(self.connect()).await?,
        };
        let reply = self.within(link.exchange(&self.access.address, words)).await?;
        self.link = Some(link);
        Ok(reply)
    }

    async fn connect(&self) -> Result<Box<Link>, QueueError> {
        let Access { address, certificate, .. } = &self.access;
        let stream = Transport::connect(address, certificate.as_ref()).await.map_err(unreachable(address))?;
        let mut link = Box::new(Link { stream, decoder: Decoder::default() });
        self.log_in(&mut link).await?;
        Ok(link)
    }

    /// The login of RouterOS 6.43 and newer; an older router answers it with a challenge, to be returned under MD5
    /// (manual, "API", "Login").
    async fn log_in(&self, link: &mut Link) -> Result<(), QueueError> {
        let Access { address, user, password, .. } = &self.access;
        let words = [b"/login".to_vec(), attribute("name", user), attribute("password", password)];
        let logged_in = match link.exchange(address, &words).await {
            Ok(reply) => match reply.done.attribute("ret") {
                None => return Ok(()),
                Some(challenge) => {
                    let response = response(password, challenge).ok_or_else(|| QueueError::Garbage {
                        what: format!("{address} to /login: challenge {:?}, expected hexadecimal", text(challenge)),
                    })?;
                    let words = [b"/login".to_vec(), attribute("name", user), attribute("response", &response)];
                    link.exchange(address, &words).await.map(|_| ())
                }
            },
            Err(error) => Err(error),
        };
        logged_in.map_err(|error| match error {
            QueueError::Refused { .. } => QueueError::Authentication { address: address.clone(), user: user.clone() },
            other => other,
        })
    }

    async fn within<T>(&self, operation: impl Future<Output = Result<T, QueueError>>) -> Result<T, QueueError> {
        match tokio::time::timeout(self.access.timeout, operation).await {
            Ok(outcome) => outcome,
            Err(_) => Err(QueueError::Timeout {
                address: self.access.address.clone(),
                after_ms: u64::try_from(self.access.timeout.as_millis()).unwrap_or(u64::MAX),
            }),
        }
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("address", &self.address)
            .field("user", &self.user)
            .field("tls", &self.certificate.is_some())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("access", &self.access).field("connected", &self.link.is_some()).finish()
    }
}

/// `00` and MD5 over a zero octet, the password and the challenge's octets.
fn response(password: &str, challenge: &[u8]) -> Option<String> {
    let mut hash = Md5::new();
    hash.update([0]);
    hash.update(password);
    if !challenge.len().is_multiple_of(2) {
        return None;
    }
    for digits in challenge.chunks_exact(2) {
        // `from_str_radix` alone takes a sign too.
        let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.contains('+'))?;
        hash.update([u8::from_str_radix(digits, 16).ok()?]);
    }
    let digits: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Some(format!("00{digits}"))
}

/// The word `=name=value`.
pub fn attribute(name: &str, value: &str) -> Vec<u8> {
    format!("={name}={value}").into_bytes()
}

struct Link {
    stream: Transport,
    decoder: Decoder,
}

impl Link {
    /// Is nothing waiting to be read: no late reply, no `!fatal`, no end of the stream?
    fn is_quiet(&self) -> bool {
        self.decoder.is_idle() && self.stream.is_quiet()
    }

    async fn exchange(&mut self, address: &str, words: &[Vec<u8>]) -> Result<Reply, QueueError> {
        let command = words.first().map(|word| text(word)).unwrap_or_default();
        let garbage = |what: String| QueueError::Garbage { what: format!("{address} to {command}: {what}") };
        let bytes = codec::encode(words)
            .map_err(|error| QueueError::Unsupported { what: format!("sending {command}: {error}") })?;
        self.stream.write_all(&bytes).await.map_err(unreachable(address))?;
        self.stream.flush().await.map_err(unreachable(address))?;

        let mut rows = Vec::new();
        let mut size = 0_usize;
        let mut trap = None;
        loop {
            let sentence = match self.decoder.next_sentence() {
                Ok(Some(sentence)) => sentence,
                Ok(None) => {
                    self.receive().await.map_err(unreachable(address))?;
                    continue;
                }
                Err(error) => return Err(garbage(error.to_string())),
            };
            match sentence.reply() {
                b"!re" => {
                    size = sentence.words().iter().fold(size, |size, word| size.saturating_add(word.len() + 32));
                    if size > MAX_REPLY {
                        return Err(garbage(format!("more than {MAX_REPLY} bytes")));
                    }
                    rows.push(sentence);
                }
                b"!done" => {
                    return match trap {
                        Some(message) => Err(QueueError::Refused { command, message }),
                        None => Ok(Reply { rows, done: sentence }),
                    };
                }
                // The first of several is the cause.
                b"!trap" => trap = trap.or_else(|| Some(message(&sentence))),
                // RouterOS 7.18 and newer: no rows; `!done` follows.
                b"!empty" => {}
                b"!fatal" => {
                    let reason = io::Error::other(format!("closed by the router: {}", message(&sentence)));
                    return Err(unreachable(address)(reason));
                }
                other => return Err(garbage(format!("reply word {:?}", text(other)))),
            }
        }
    }

    async fn receive(&mut self) -> io::Result<()> {
        let mut chunk = [0; 2048];
        let count = self.stream.read(&mut chunk).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.decoder.feed(chunk.get(..count).unwrap_or_default());
        Ok(())
    }
}

fn unreachable(address: &str) -> impl Fn(io::Error) -> QueueError {
    let address = address.to_owned();
    move |source| QueueError::Unreachable { address: address.clone(), source }
}

/// What a `!trap` or `!fatal` says: `=message=`, or for `!fatal` the bare second word.
fn message(sentence: &Sentence) -> String {
    let bare = || sentence.words().get(1).map(Vec::as_slice);
    sentence.attribute("message").or_else(bare).map(text).unwrap_or_else(|| "no reason given".into())
}

/// The router's bytes as text fit for a log line.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().filter(|character| !character.is_control()).take(MAX_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    //! Against a socket that plays a script: for each sentence received on a connection, the next answer. What a
    //! router makes of a command is tested against the simulator and, there, against other people's clients.

    use super::*;
    use tokio::net::TcpListener;

    /// One answer: sentences of words. A sentence without words closes the connection.
    type Answer = &'static [&'static [&'static str]];

    const DONE: Answer = &[&["!done"]];
    const CLOSE: Answer = &[&[]];

    async fn script(connections: Vec<Vec<Answer>>) -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            for answers in connections {
                let (stream, _) = listener.accept().await.unwrap();
                play(Link { stream: Transport::Plain(stream), decoder: Decoder::default() }, answers).await;
            }
        });
        Client::new(access(address, Duration::from_secs(5)))
    }

    fn access(address: String, timeout: Duration) -> Access {
        Access { address, user: "takar".into(), password: "se cret".into(), certificate: None, timeout }
    }

    async fn play(mut link: Link, answers: Vec<Answer>) {
        for answer in answers {
            while link.decoder.next_sentence().unwrap().is_none() {
                if link.receive().await.is_err() {
                    return;
                }
            }
            for &sentence in answer {
                if sentence.is_empty() {
                    return;
                }
                link.stream.write_all(&codec::encode(sentence).unwrap()).await.unwrap();
            }
        }
        // Stay until the client goes, so that an unanswered command times out.
        while link.receive().await.is_ok() {}
    }

    fn print() -> Vec<Vec<u8>> {
        vec![b"/queue/simple/print".to_vec()]
    }

    /// Lets what the script sent or closed arrive.
    async fn settle() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    #[tokio::test]
    async fn rows_and_done() {
        const ROWS: Answer = &[&["!re", "=name=a"], &["!re", "=name=b"], &["!done"]];
        const EMPTY: Answer = &[&["!empty"], &["!done"]];
        let mut client = script(vec![vec![DONE, ROWS, EMPTY]]).await;
        let reply = client.ask(&print()).await.unwrap();
        assert_eq!(reply.rows.len(), 2);
        assert_eq!(reply.rows[1].attribute("name"), Some(&b"b"[..]));
        assert!(client.ask(&print()).await.unwrap().rows.is_empty());
    }

    #[tokio::test]
    async fn a_trap_is_refused_with_its_message_and_costs_the_connection() {
        const TRAP: Answer = &[&["!trap", "=category=2", "=message=no such item"], &["!done"]];
        let mut client = script(vec![vec![DONE, TRAP], vec![DONE, DONE]]).await;
        let error = client.tell(&print()).await.unwrap_err();
        assert_eq!(error.to_string(), "/queue/simple/print refused by the device: no such item");
        client.tell(&print()).await.unwrap();
    }

    #[tokio::test]
    async fn a_refused_login_names_the_user_and_not_the_password() {
        const TRAP: Answer = &[&["!trap", "=message=invalid user name or password (6)"], &["!done"]];
        let mut client = script(vec![vec![TRAP]]).await;
        let error = client.ask(&print()).await.unwrap_err();
        assert!(matches!(&error, QueueError::Authentication { user, .. } if user == "takar"), "{error:?}");
        assert!(!format!("{client:?} {error:?} {error}").contains("se cret"));
    }

    #[tokio::test]
    async fn a_challenge_is_answered_and_a_strange_one_is_garbage() {
        const CHALLENGE: Answer = &[&["!done", "=ret=ebddd18303a54111e2dea05a92ab46b4"]];
        const STRANGE: Answer = &[&["!done", "=ret=+bdd"]];
        const TRAP: Answer = &[&["!trap", "=message=cannot log in"], &["!done"]];
        let mut client = script(vec![vec![CHALLENGE, DONE, DONE], vec![CHALLENGE, TRAP], vec![STRANGE]]).await;
        client.ask(&print()).await.unwrap();
        client.link = None;
        let refused = client.tell(&print()).await.unwrap_err();
        assert!(matches!(refused, QueueError::Authentication { .. }), "{refused:?}");
        let strange = client.tell(&print()).await.unwrap_err();
        assert!(matches!(strange, QueueError::Garbage { .. }), "{strange:?}");
    }

    /// Worked with Python's hashlib.
    #[test]
    fn the_response_is_that_of_the_manual() {
        let response = response("se cret", b"ebddd18303a54111e2dea05a92ab46b4");
        assert_eq!(response.as_deref(), Some("00253ec832674d31be5589728fc40d8eb3"));
    }

    #[tokio::test]
    async fn a_connection_that_closes_under_a_command_is_made_anew_for_reading_only() {
        let once = || vec![DONE, DONE, CLOSE];
        let mut client = script(vec![once(), once(), once()]).await;
        client.ask(&print()).await.unwrap();
        client.ask(&print()).await.unwrap();
        assert!(matches!(client.tell(&print()).await, Err(QueueError::Unreachable { .. })));
        client.tell(&print()).await.unwrap();
    }

    #[tokio::test]
    async fn a_connection_closed_or_talking_between_commands_is_not_used_again() {
        const LAST: Answer = &[&["!done"], &[]];
        const LATE: Answer = &[&["!done"], &["!re", "=name=late"]];
        let mut client = script(vec![vec![DONE, LAST], vec![DONE, LATE], vec![DONE, DONE]]).await;
        for _ in 0..3 {
            assert!(client.tell(&print()).await.unwrap().rows.is_empty());
            settle().await;
        }
    }

    #[tokio::test]
    async fn fatal_says_why() {
        const FATAL: Answer = &[&["!fatal", "not logged in"]];
        let error = script(vec![vec![DONE, FATAL]]).await.ask(&print()).await.unwrap_err();
        let QueueError::Unreachable { source, .. } = error else { panic!("{error:?}") };
        assert_eq!(source.to_string(), "closed by the router: not logged in");
    }

    #[tokio::test]
    async fn silence_and_half_an_answer_time_out() {
        const HALF: Answer = &[&["!re", "=name=a"]];
        let mut client = script(vec![vec![DONE, HALF], vec![DONE]]).await;
        client.access.timeout = Duration::from_millis(300);
        for _ in 0..2 {
            let error = client.ask(&print()).await.unwrap_err();
            assert!(matches!(error, QueueError::Timeout { after_ms: 300, .. }), "{error:?}");
        }
    }

    #[tokio::test]
    async fn what_no_router_says_is_garbage() {
        const UNKNOWN: Answer = &[&["!what"]];
        const BARE: Answer = &[&["=name=a"], &["!done"]];
        for answer in [UNKNOWN, BARE] {
            let error = script(vec![vec![DONE, answer]]).await.ask(&print()).await.unwrap_err();
            assert!(matches!(error, QueueError::Garbage { .. }), "{error:?}");
        }
    }

    #[tokio::test]
    async fn an_endless_reply_is_cut_off() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(&codec::encode(&["!done"]).unwrap()).await.unwrap();
            let row = codec::encode(&["!re", "=name=a"]).unwrap().repeat(100);
            while stream.write_all(&row).await.is_ok() {}
        });
        let mut client = Client::new(access(address, Duration::from_secs(20)));
        let error = client.ask(&print()).await.unwrap_err();
        assert!(matches!(&error, QueueError::Garbage { what } if what.contains("more than")), "{error:?}");
    }
}
