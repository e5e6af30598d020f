//! What differs between two lists of workloads, found without looking into the blocks they share.

use std::cmp::Ordering;
use std::sync::Arc;

use super::workload::Workload;
use super::workloads::{Block, Workloads};

/// What became of a workload.
#[derive(Clone, Copy, Debug)]
pub enum Difference<'a> {
    /// It stood at this position.
    Gone {
        at: usize,
        was: &'a Workload,
    },
    Appeared {
        is: &'a Workload,
    },
    /// It stayed and is another; its position among those that stayed.
    Changed {
        at: usize,
        was: &'a Workload,
        is: &'a Workload,
    },
}

/// One list as it is walked through.
struct Walk<'a> {
    blocks: &'a [Arc<Block>],
    /// Position within the first block.
    within: usize,
}

impl<'a> Walk<'a> {
    fn current(&self) -> Option<&'a Arc<Workload>> {
        self.blocks.first().map(|block| &block.workloads()[self.within])
    }

    fn step(&mut self) {
        self.within += 1;
        if self.blocks.first().is_some_and(|block| block.workloads().len() == self.within) {
            self.skip();
        }
    }

    fn skip(&mut self) {
        self.blocks = &self.blocks[1..];
        self.within = 0;
    }

    /// The block that begins here.
    fn block(&self) -> Option<&'a Arc<Block>> {
        self.blocks.first().filter(|_| self.within == 0)
    }
}

/// What differs, in the order of the ids. Both lists are sorted by id, each id once.
pub fn differences<'a>(before: &'a Workloads, after: &'a Workloads) -> Vec<Difference<'a>> {
    let mut found = Vec::new();
    if before.is_one_with(after) {
        return found;
    }
    let (mut was, mut is) = (Walk { blocks: before.blocks(), within: 0 }, Walk { blocks: after.blocks(), within: 0 });
    let (mut at, mut stayed) = (0, 0);
    loop {
        if let Some(block) = was.block().zip(is.block()).filter(|(one, other)| Arc::ptr_eq(one, other)) {
            at += block.0.workloads().len();
            stayed += block.0.workloads().len();
            was.skip();
            is.skip();
            continue;
        }
        let (old, new) = (was.current(), is.current());
        let order = match (old, new) {
            (None, None) => return found,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) if Arc::ptr_eq(old, new) => Ordering::Equal,
            (Some(old), Some(new)) => old.id.cmp(&new.id),
        };
        match (order, old, new) {
            (Ordering::Equal, Some(old), Some(new)) if !Arc::ptr_eq(old, new) && old != new => {
                found.push(Difference::Changed { at: stayed, was: old, is: new });
            }
            (Ordering::Less, Some(old), _) => found.push(Difference::Gone { at, was: old }),
            (Ordering::Greater, _, Some(new)) => found.push(Difference::Appeared { is: new }),
            (Ordering::Equal | Ordering::Less | Ordering::Greater, ..) => {}
        }
        if order != Ordering::Greater {
            at += 1;
            was.step();
        }
        if order != Ordering::Less {
            is.step();
        }
        stayed += usize::from(order == Ordering::Equal);
    }
}
