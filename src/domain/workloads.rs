//! The workloads of a sample, in blocks that samples share: nearly every sample repeats the one before it.

use std::collections::BTreeMap;
use std::iter::FusedIterator;
use std::ops::Index;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::workload::Workload;
use super::{Instant, Points};

/// A block ends behind one workload in so many, on average; a power of two.
const BLOCK_WORKLOADS: u64 = 64;

/// Workloads in their order. A copy shares them; equal lists are cut into equal blocks however they came about.
#[derive(Clone, Default)]
pub struct Workloads(Arc<List>);

#[derive(Default)]
struct List {
    blocks: Vec<Arc<Block>>,
    /// How many workloads stand before the end of each block.
    ends: Vec<usize>,
}

/// Workloads that stand next to each other, with what is known of them together.
pub struct Block {
    workloads: Box<[Arc<Workload>]>,
    is_sorted: bool,
    is_any_sized: bool,
    /// It ends where a block ends; only the last one of a list may not.
    is_closed: bool,
    /// Added up when somebody asks.
    stated: OnceLock<Points>,
    newest_restore_point_at: OnceLock<Option<Instant>>,
}

/// Whether a block ends behind the workload: told by its id alone, so that a change moves no other block's end.
fn ends_block(id: &str) -> bool {
    let bytes = id.as_bytes();
    let word = |some: &[u8]| some.iter().fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
    let (first, last) = (&bytes[..bytes.len().min(8)], &bytes[bytes.len().saturating_sub(8)..]);
    let mixed = (word(first).rotate_left(29) ^ word(last)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 32).is_multiple_of(BLOCK_WORKLOADS)
}

impl Block {
    fn of(workloads: Vec<Arc<Workload>>) -> Block {
        Block {
            is_sorted: workloads.is_sorted_by(|one, next| one.id < next.id),
            is_any_sized: workloads.iter().any(|workload| workload.unstructured.is_some()),
            is_closed: workloads.last().is_some_and(|last| ends_block(&last.id)),
            stated: OnceLock::new(),
            newest_restore_point_at: OnceLock::new(),
            workloads: workloads.into(),
        }
    }

    fn stated(&self) -> Points {
        *self.stated.get_or_init(|| self.workloads.iter().filter_map(|workload| workload.points).sum())
    }

    fn newest_restore_point_at(&self) -> Option<Instant> {
        let newest = || self.workloads.iter().filter_map(|workload| workload.last_restore_point_at).max();
        *self.newest_restore_point_at.get_or_init(newest)
    }

    /// Never empty.
    pub fn workloads(&self) -> &[Arc<Workload>] {
        &self.workloads
    }

    /// Whether any of them states a size.
    pub fn is_any_sized(&self) -> bool {
        self.is_any_sized
    }

    fn first(&self) -> &str {
        &self.workloads[0].id
    }

    fn last(&self) -> &str {
        &self.workloads[self.workloads.len() - 1].id
    }
}

impl Workloads {
    pub fn len(&self) -> usize {
        self.0.ends.last().copied().unwrap_or(0)
    }

    pub fn is_empty(&self) -> bool {
        self.0.blocks.is_empty()
    }

    pub fn iter(&self) -> Iter<'_> {
        Iter { shared: self.shared() }
    }

    /// The workloads as they are shared.
    pub fn shared(&self) -> Shared<'_> {
        Shared { blocks: self.0.blocks.iter(), front: [].iter(), left: self.len() }
    }

    pub fn blocks(&self) -> &[Arc<Block>] {
        &self.0.blocks
    }

    pub fn get(&self, position: usize) -> Option<&Arc<Workload>> {
        let block = self.0.ends.partition_point(|end| *end <= position);
        let before = block.checked_sub(1).map_or(0, |before| self.0.ends[before]);
        self.0.blocks.get(block).map(|block| &block.workloads[position - before])
    }

    /// Whether both are one list, so that nothing in them can differ.
    pub fn is_one_with(&self, other: &Workloads) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether they are sorted by id with each id once.
    pub fn are_sorted(&self) -> bool {
        let blocks = &self.0.blocks;
        blocks.iter().all(|block| block.is_sorted) && blocks.is_sorted_by(|one, next| one.last() < next.first())
    }

    /// Where the workload with this id stands; the list is sorted.
    pub fn position_of(&self, id: &str) -> Option<usize> {
        let at = self.0.blocks.partition_point(|block| block.last() < id);
        let block = self.0.blocks.get(at)?;
        let found = block.workloads.binary_search_by(|workload| workload.id.as_str().cmp(id)).ok()?;
        Some(at.checked_sub(1).map_or(0, |before| self.0.ends[before]) + found)
    }

    /// All points that are stated of them.
    pub fn stated(&self) -> Points {
        self.0.blocks.iter().map(|block| block.stated()).sum()
    }

    /// The newest restore point of them all.
    pub fn newest_restore_point_at(&self) -> Option<Instant> {
        self.0.blocks.iter().filter_map(|block| block.newest_restore_point_at()).max()
    }

    pub fn is_any_sized(&self) -> bool {
        self.0.blocks.iter().any(|block| block.is_any_sized)
    }

    /// The same with those in place of which something is given.
    #[must_use]
    pub fn with(&self, mut other: impl FnMut(usize, &Workload) -> Option<Workload>) -> Workloads {
        let mut cut = Cut::sharing(self);
        for (position, workload) in self.shared().enumerate() {
            cut.push(other(position, workload).map_or_else(|| Arc::clone(workload), Arc::new));
        }
        cut.end()
    }

    /// The same with other workloads at these positions, their ids unchanged.
    #[must_use]
    pub fn replacing(&self, others: BTreeMap<usize, Arc<Workload>>) -> Workloads {
        let (mut cut, mut at) = (Cut::sharing(self), 0);
        let mut others = others.into_iter().peekable();
        for block in &self.0.blocks {
            let end = at + block.workloads.len();
            if others.peek().is_none_or(|(position, _)| end <= *position) {
                cut.push_block(block);
            } else {
                for (position, workload) in (at..).zip(&block.workloads) {
                    let other = others.next_if(|(other, _)| *other == position);
                    cut.push(other.map_or_else(|| Arc::clone(workload), |(_, other)| other));
                }
            }
            at = end;
        }
        cut.end()
    }

    /// The same, changed as a plain list: for the few places that change many things at once.
    pub fn change(&mut self, change: impl FnOnce(&mut Vec<Workload>)) {
        let mut plain: Vec<Workload> = self.iter().cloned().collect();
        change(&mut plain);
        *self = plain.into_iter().collect();
    }
}

/// Cuts workloads into blocks as they come.
#[derive(Default)]
pub struct Cut {
    blocks: Vec<Arc<Block>>,
    open: Vec<Arc<Workload>>,
    /// A list whose blocks are taken where they are the same.
    known: Workloads,
    /// Blocks of it that were passed.
    passed: usize,
}

impl Cut {
    /// Takes the blocks of a list where the same workloads come.
    pub fn sharing(known: &Workloads) -> Cut {
        Cut { known: known.clone(), ..Cut::default() }
    }

    pub fn push(&mut self, workload: Arc<Workload>) {
        self.reopen();
        let is_end = ends_block(&workload.id);
        self.open.push(workload);
        if is_end {
            self.close();
        }
    }

    /// Pushes all workloads of a block.
    pub fn push_block(&mut self, block: &Arc<Block>) {
        self.reopen();
        if self.open.is_empty() {
            self.blocks.push(Arc::clone(block));
        } else {
            block.workloads.iter().for_each(|workload| self.push(Arc::clone(workload)));
        }
    }

    /// Pushes what became of a block's workloads; so many came to them.
    pub fn push_edited(&mut self, workloads: Vec<Arc<Workload>>, came: usize) {
        self.reopen();
        let is_closed = workloads.last().is_some_and(|last| ends_block(&last.id));
        if came == 0 && is_closed && self.open.is_empty() {
            self.blocks.push(Arc::new(Block::of(workloads)));
        } else {
            workloads.into_iter().for_each(|workload| self.push(workload));
        }
    }

    pub fn end(mut self) -> Workloads {
        self.close();
        let mut so_far = 0;
        let end_of = |block: &Arc<Block>| {
            so_far += block.workloads.len();
            so_far
        };
        let ends = self.blocks.iter().map(end_of).collect();
        let is_known = self.blocks.len() == self.known.0.blocks.len()
            && self.blocks.iter().zip(&self.known.0.blocks).all(|(one, other)| Arc::ptr_eq(one, other));
        if is_known { self.known } else { Workloads(Arc::new(List { blocks: self.blocks, ends })) }
    }

    /// A block that was the end of its list goes on.
    fn reopen(&mut self) {
        if self.open.is_empty()
            && let Some(last) = self.blocks.pop_if(|last| !last.is_closed)
        {
            self.open.extend(last.workloads.iter().cloned());
        }
    }

    fn close(&mut self) {
        let Some(first) = self.open.first() else { return };
        let known = &self.known.0.blocks;
        while known.get(self.passed).is_some_and(|block| block.first() < first.id.as_str()) {
            self.passed += 1;
        }
        let open = std::mem::take(&mut self.open);
        let same = known.get(self.passed).filter(|block| {
            block.workloads.len() == open.len()
                && block.workloads.iter().zip(&open).all(|(one, other)| Arc::ptr_eq(one, other))
        });
        self.blocks.push(same.map_or_else(|| Arc::new(Block::of(open)), Arc::clone));
    }
}

impl FromIterator<Arc<Workload>> for Workloads {
    fn from_iter<I: IntoIterator<Item = Arc<Workload>>>(workloads: I) -> Workloads {
        let mut cut = Cut::default();
        workloads.into_iter().for_each(|workload| cut.push(workload));
        cut.end()
    }
}

impl FromIterator<Workload> for Workloads {
    fn from_iter<I: IntoIterator<Item = Workload>>(workloads: I) -> Workloads {
        workloads.into_iter().map(Arc::new).collect()
    }
}

impl From<Vec<Workload>> for Workloads {
    fn from(workloads: Vec<Workload>) -> Workloads {
        workloads.into_iter().collect()
    }
}

impl PartialEq for Workloads {
    fn eq(&self, other: &Workloads) -> bool {
        let (mine, theirs) = (&self.0.blocks, &other.0.blocks);
        let is_same = |(one, other): (&Arc<Block>, &Arc<Block>)| {
            Arc::ptr_eq(one, other)
                || one.workloads.len() == other.workloads.len()
                    && one.workloads.iter().zip(&other.workloads).all(|(one, other)| is_same(one, other))
        };
        self.is_one_with(other) || mine.len() == theirs.len() && mine.iter().zip(theirs).all(is_same)
    }
}

impl Eq for Workloads {}

fn is_same(one: &Arc<Workload>, other: &Arc<Workload>) -> bool {
    Arc::ptr_eq(one, other) || one == other
}

impl std::fmt::Debug for Workloads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Serialize for Workloads {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Workloads {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Workloads, D::Error> {
        Vec::<Workload>::deserialize(deserializer).map(Workloads::from)
    }
}

impl Index<usize> for Workloads {
    type Output = Workload;

    fn index(&self, position: usize) -> &Workload {
        self.get(position).expect("a position within the list")
    }
}

impl<'a> IntoIterator for &'a Workloads {
    type Item = &'a Workload;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The workloads of a list, as they are shared.
#[derive(Clone)]
pub struct Shared<'a> {
    blocks: std::slice::Iter<'a, Arc<Block>>,
    front: std::slice::Iter<'a, Arc<Workload>>,
    left: usize,
}

impl<'a> Iterator for Shared<'a> {
    type Item = &'a Arc<Workload>;

    fn next(&mut self) -> Option<&'a Arc<Workload>> {
        if self.front.as_slice().is_empty() {
            self.front = self.blocks.next()?.workloads.iter();
        }
        self.left -= 1;
        self.front.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Shared<'_> {}
impl FusedIterator for Shared<'_> {}

/// The workloads of a list.
#[derive(Clone)]
pub struct Iter<'a> {
    shared: Shared<'a>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a Workload;

    fn next(&mut self) -> Option<&'a Workload> {
        self.shared.next().map(Arc::as_ref)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.shared.size_hint()
    }
}

impl ExactSizeIterator for Iter<'_> {}
impl FusedIterator for Iter<'_> {}
