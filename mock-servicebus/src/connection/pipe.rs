//! A socket with its read buffer. Reading and writing wait together, so that neither holds up the other.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// Room for bytes that are read at once, in the middle of a frame and otherwise.
const CHUNK: usize = 64 * 1024;
const SMALL_CHUNK: usize = 4 * 1024;

/// A stream over TCP.
pub(super) trait Socket: AsyncRead + AsyncWrite + Unpin + Send {
    /// The TCP socket below.
    fn tcp(&self) -> &TcpStream;
}

impl Socket for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Socket for tokio_rustls::server::TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// Makes the socket end with a reset.
pub(super) fn reset(stream: &TcpStream) {
    // A socket that is gone already needs none.
    let _ = stream.set_zero_linger();
}

/// A stream and the bytes read from it that nobody has taken yet.
#[derive(Debug)]
pub(super) struct Pipe<S> {
    stream: S,
    pub(super) input: BytesMut,
    needs_flush: bool,
}

/// What a step on a pipe did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Bytes came.
    Read,
    /// The peer sends nothing more.
    End,
    /// Bytes went.
    Written,
}

impl<S: Socket> Pipe<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            input: BytesMut::new(),
            needs_flush: false,
        }
    }

    /// Writes from the front of `output`, or reads, whichever can be done first. Can be dropped at any time without loss.
    pub(super) async fn step(&mut self, output: &mut BytesMut, reads: bool) -> io::Result<Step> {
        poll_fn(|context| {
            if !output.is_empty() {
                if let Poll::Ready(written) = Pin::new(&mut self.stream).poll_write(context, output)
                {
                    let written = written?;
                    if written == 0 {
                        return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                    }
                    output.advance(written);
                    self.needs_flush = true;
                    return Poll::Ready(Ok(Step::Written));
                }
            } else if self.needs_flush
                && let Poll::Ready(flushed) = Pin::new(&mut self.stream).poll_flush(context)
            {
                flushed?;
                self.needs_flush = false;
                if !reads {
                    return Poll::Ready(Ok(Step::Written));
                }
            }
            if !reads {
                return Poll::Pending;
            }
            self.poll_read(context)
        })
        .await
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Step>> {
        // Small while little comes, so that a thousand idle connections cost little.
        let room = if self.input.is_empty() {
            SMALL_CHUNK
        } else {
            CHUNK
        };
        if self.input.capacity() - self.input.len() < SMALL_CHUNK {
            self.input.reserve(room);
        }
        let read = pin!(self.stream.read_buf(&mut self.input));
        read.poll(context).map_ok(|came| match came {
            0 => Step::End,
            _ => Step::Read,
        })
    }

    /// Whether everything that was written has left the stream's own buffers.
    pub(super) fn is_flushed(&self) -> bool {
        !self.needs_flush
    }

    /// Writes all of these bytes.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// Tells the peer that nothing more comes.
    pub(super) async fn finish(&mut self) {
        // The peer may be gone already, which is as good.
        let _ = self.stream.shutdown().await;
    }

    pub(super) fn reset(&self) {
        reset(self.stream.tcp());
    }
}
