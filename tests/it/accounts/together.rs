//! Many messages at once: recorded with one sync, each answered when it is durable, none lost and none doubled.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Waker};

use tidegauge::domain::report::Receipt;
use tidegauge::doors::{AppendFile, FileLock, Files};
use tidegauge::license_server::Reply;
use tidegauge::protocol::{ReceiptAnswer, Refusal};

use super::*;

/// Agents that speak at once, of one unit each.
const UNITS: usize = 40;

/// A disk whose syncs wait for a word each, once it is held.
#[derive(Clone)]
struct HeldDisk {
    disk: SimulatedDisk,
    syncs: Arc<AtomicU64>,
    words: Arc<Mutex<Option<Receiver<io::Result<()>>>>>,
}

struct HeldAppend(Box<dyn AppendFile>, HeldDisk);

impl HeldDisk {
    fn of(disk: &SimulatedDisk) -> HeldDisk {
        HeldDisk { disk: disk.duplicate(), syncs: Arc::default(), words: Arc::default() }
    }

    /// From here on each sync waits for a word and then ends so; when nobody is left to say one, it goes through.
    fn hold(&self) -> Sender<io::Result<()>> {
        let (say, words) = channel();
        *self.words.lock().unwrap() = Some(words);
        say
    }
}

impl AppendFile for HeldAppend {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.1.syncs.fetch_add(1, Ordering::SeqCst);
        let words = self.1.words.lock().unwrap();
        words.as_ref().and_then(|words| words.recv().ok()).unwrap_or(Ok(()))?;
        self.0.sync()
    }
}

impl Files for HeldDisk {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        self.disk.read(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.disk.list(folder)
    }

    fn append_to(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        Ok(Box::new(HeldAppend(self.disk.append_to(path)?, self.clone())))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.disk.write(path, bytes)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        self.disk.truncate(path, len)
    }

    fn remove_folder(&self, folder: &Path) -> io::Result<()> {
        self.disk.remove_folder(folder)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<FileLock>> {
        self.disk.lock(path)
    }
}

/// What each unit sends of week 43.
fn sealed(office: &Office, unit: usize, points: i64) -> (String, Vec<u8>) {
    let mut message = telemetry("2026-W43", "2026-10-20", points);
    message.unit = format!("unit-{unit}");
    message.id = Telemetry::id_of(&message.unit, message.week);
    (message.id.clone(), protocol::signed(&message, &office.agent).into_bytes())
}

fn receipt_in(office: &Office, reply: &Reply) -> Receipt {
    let answer: ReceiptAnswer = protocol::verified(reply.body.as_bytes(), &office.server.verifying_key()).unwrap();
    answer.receipt
}

/// A server on a held disk, with the agent of this office.
fn held(office: &Office) -> (HeldDisk, Arc<LicenseServer>) {
    let disk = HeldDisk::of(&office.disk);
    let server = LicenseServer::open(Arc::new(disk.clone()), Path::new(FOLDER), Policy::default()).unwrap();
    disk.syncs.store(0, Ordering::SeqCst);
    (disk, Arc::new(server))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap()
}

type Waiting<'a> = Vec<Pin<Box<dyn Future<Output = Reply> + Send + 'a>>>;

/// Lets each of these be heard; none is answered.
fn all_wait<'a>(server: &'a LicenseServer, bodies: &'a [(String, Vec<u8>)]) -> Waiting<'a> {
    let now = at("2026-11-02T06:00:00Z");
    let waits = bodies.iter().map(|(_, body)| {
        let mut reply = Box::pin(server.receive(Kind::Telemetry, body, now));
        let asleep = reply.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending();
        assert!(asleep, "nothing is answered before it is durable");
        reply as Pin<Box<dyn Future<Output = Reply> + Send>>
    });
    waits.collect()
}

#[test]
fn messages_that_wait_for_a_sync_share_the_next_one_and_are_answered_after_it() {
    let office = Office::enrolled_on_a_folder();
    let (disk, server) = held(&office);
    let bodies: Vec<_> = (0..UNITS).map(|unit| sealed(&office, unit, 40)).collect();
    let say = disk.hold();
    runtime().block_on(async {
        let waiting = all_wait(&server, &bodies);
        assert!(server.state().messages.is_empty(), "what is not durable is not known");
        drop(say);
        for ((id, _), reply) in bodies.iter().zip(waiting) {
            let reply = reply.await;
            assert_eq!((reply.status, receipt_in(&office, &reply).id), (200, id.clone()));
        }
    });
    assert!(disk.syncs.load(Ordering::SeqCst) <= 2, "one sync was under way, one took all the others");
    assert_eq!(server.state().messages.len(), UNITS);
    disk.disk.power_cut();
    assert!(open(&disk.disk.duplicate()).state() == server.state());
}

#[test]
fn a_message_sent_many_times_at_once_is_taken_once_and_has_one_receipt() {
    let office = Office::enrolled_on_a_folder();
    let (disk, server) = held(&office);
    let mut bodies = vec![sealed(&office, 1, 40); 12];
    bodies.extend((0..3).map(|_| sealed(&office, 1, 41)));
    let say = disk.hold();
    let replies: Vec<Reply> = runtime().block_on(async {
        let waiting = all_wait(&server, &bodies);
        drop(say);
        let mut replies = Vec::new();
        for reply in waiting {
            replies.push(reply.await);
        }
        replies
    });
    let receipts: Vec<Receipt> = replies[..12].iter().map(|reply| receipt_in(&office, reply)).collect();
    assert!(receipts.iter().all(|receipt| *receipt == receipts[0]));
    assert_eq!(replies[12..].iter().map(|reply| reply.status).collect::<Vec<_>>(), [409, 409, 409]);
    let state = server.state();
    assert_eq!((state.messages.len(), state.messages[&bodies[0].0].conflicts.len()), (1, 1));
}

#[test]
fn when_a_sync_fails_nobody_it_was_for_is_told_of_success_and_the_journal_is_read_again() {
    let office = Office::enrolled_on_a_folder();
    let (disk, server) = held(&office);
    let bodies: Vec<_> = (0..UNITS).map(|unit| sealed(&office, unit, 40)).collect();
    let before = server.journal_seq();
    let say = disk.hold();
    let replies: BTreeMap<&String, Reply> = runtime().block_on(async {
        let waiting = all_wait(&server, &bodies);
        // The first group's sync fails; reading again goes through, and so do all others.
        say.send(Err(io::ErrorKind::StorageFull.into())).unwrap();
        drop(say);
        let mut replies = BTreeMap::new();
        for ((id, _), reply) in bodies.iter().zip(waiting) {
            replies.insert(id, reply.await);
        }
        replies
    });
    let state = server.state();
    assert_eq!(replies[&bodies[0].0].status, 503, "its sync failed");
    for (id, reply) in &replies {
        match reply.status {
            200 => assert_eq!(state.messages[*id].receipt, receipt_in(&office, reply)),
            status => {
                let refusal: Refusal = protocol::verified(reply.body.as_bytes(), &server.verifying_key()).unwrap();
                assert_eq!((status, refusal.why.contains("try again later")), (503, true));
            }
        }
    }
    disk.disk.power_cut();
    let read = open(&disk.disk.duplicate());
    assert!(read.state() == state, "what the server knows is what is durable");
    assert_eq!(server.journal_seq() - before, state.messages.len() as u64);
    // Sent again, as agents do, each is taken once.
    for (_, body) in &bodies {
        assert_eq!(server.take(Kind::Telemetry, body, at("2026-11-02T07:00:00Z")).status, 200);
    }
    assert_eq!(server.journal_seq() - before, UNITS as u64);
}

#[test]
fn an_order_waits_for_the_messages_before_it_and_holds_for_those_after_it() {
    let office = Office::enrolled_on_a_folder();
    let agent = office.agent.fingerprint();
    let (disk, server) = held(&office);
    let bodies: Vec<_> = (0..2).map(|unit| sealed(&office, unit, 40)).collect();
    let say = disk.hold();
    std::thread::scope(|scope| {
        let runtime = runtime();
        let first = runtime.block_on(async { all_wait(&server, &bodies[..1]) });
        let removed = scope.spawn(|| {
            let order = Order::RemoveAgent { agent, why: "stolen".to_owned() };
            server.obey(order, "olga", at("2026-11-02T06:00:00Z"), &mut Counting(7))
        });
        drop(say);
        removed.join().unwrap().unwrap();
        for reply in first {
            assert_eq!(runtime.block_on(reply).status, 200);
        }
    });
    assert_eq!(server.take(Kind::Telemetry, &bodies[1].1, at("2026-11-02T06:00:00Z")).status, 403);
}
