//! An SMTP server that takes connections one after the other, each with its own replies, and keeps what it is told.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// What is replied in one connection.
#[derive(Clone, Copy)]
pub struct Talk {
    pub hello: &'static str,
    pub auth: &'static str,
    pub rcpt: &'static str,
    /// After the message; empty: the connection is dropped instead.
    pub data: &'static str,
}

impl Default for Talk {
    fn default() -> Self {
        Self {
            hello: "220 mail.office.example ESMTP",
            auth: "235 2.7.0 welcome",
            rcpt: "250 2.1.5 ok",
            data: "250 2.0.0 queued as 4711",
        }
    }
}

#[derive(Clone, Default)]
pub struct Seen {
    /// Without QUIT, which comes or not.
    pub commands: Vec<String>,
    pub messages: Vec<String>,
}

pub struct Sink {
    pub port: u16,
    seen: Arc<Mutex<Seen>>,
    task: tokio::task::JoinHandle<()>,
}

impl Sink {
    pub async fn start(talks: Vec<Talk>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let keep = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            for talk in talks {
                let (stream, _) = listener.accept().await.unwrap();
                // A client that hangs up early is a client's right.
                let _ = converse(stream, talk, &keep).await;
            }
        });
        Self { port, seen, task }
    }

    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(stream: TcpStream, talk: Talk, seen: &Mutex<Seen>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    say(&mut stream, talk.hello).await?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim_end().to_owned();
        if line == "QUIT" {
            return say(&mut stream, "221 bye").await;
        }
        seen.lock().unwrap().commands.push(line.clone());
        match line.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" => say(&mut stream, "250-mail.office.example\r\n250 AUTH PLAIN").await?,
            "AUTH" => say(&mut stream, talk.auth).await?,
            "RCPT" => say(&mut stream, talk.rcpt).await?,
            "DATA" => {
                say(&mut stream, "354 go on").await?;
                let message = message(&mut stream).await?;
                seen.lock().unwrap().messages.push(message);
                if talk.data.is_empty() {
                    return Ok(());
                }
                say(&mut stream, talk.data).await?;
            }
            _ => say(&mut stream, "250 ok").await?,
        }
    }
}

/// Up to the line with a dot alone; lines that were stuffed with one lose it.
async fn message(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut message = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 || line == ".\r\n" {
            return Ok(message);
        }
        message.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}

async fn say(stream: &mut BufReader<TcpStream>, reply: &str) -> std::io::Result<()> {
    stream.get_mut().write_all(format!("{reply}\r\n").as_bytes()).await
}
