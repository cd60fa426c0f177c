//! Files of this machine on their way into containers and out of them, as tar archives that are never whole in memory.

mod pack;
mod place;
mod unpack;

use bytes::Bytes;
use tokio::sync::mpsc;

pub use pack::{Item, pack};
pub use place::{Destination, Source, parent_and_name, place};
pub use unpack::unpack;

/// Bytes that go on at once.
const PIECE: usize = 64 << 10;
/// Pieces that wait for who takes them.
const WAITING: usize = 8;

/// Pieces of an archive, between a thread that works on the disk and the connection.
type Pieces = mpsc::Receiver<std::io::Result<Bytes>>;
