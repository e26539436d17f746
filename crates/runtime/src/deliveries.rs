//! The input gate between the ends of operations: user code sees one, and what follows from it in microtasks, before
//! the next. So who reads, awaits storage and writes is not interrupted by another answer that came at the same time.

use std::{
    collections::VecDeque,
    task::{Context, Poll, Waker},
};

pub type DeliveryNumber = u64;

#[derive(Default)]
enum Turn {
    #[default]
    Free,
    /// It is somebody's turn who has not come yet.
    Given(DeliveryNumber),
    /// Somebody had it, and microtasks may be left.
    Taken,
}

/// Who waits to be seen, in the order in which they came.
#[derive(Default)]
pub(crate) struct Deliveries {
    turn: Turn,
    waiting: VecDeque<(DeliveryNumber, Waker)>,
    last: DeliveryNumber,
}

impl Deliveries {
    /// Ready when it is the turn of `number`, which this gives to who has to wait and takes back in the end.
    pub fn poll(&mut self, number: &mut Option<DeliveryNumber>, cx: &Context<'_>) -> Poll<()> {
        let is_next = match (&self.turn, *number) {
            (Turn::Free, None) => true,
            (Turn::Given(given), Some(own)) => *given == own,
            _ => false,
        };
        if is_next {
            self.turn = Turn::Taken;
            *number = None;
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        match *number {
            Some(own) => {
                let mine = self.waiting.iter_mut().find(|(number, _)| *number == own);
                mine.expect("who waits and has no turn is in the queue").1 = waker;
            }
            None => {
                self.last += 1;
                *number = Some(self.last);
                self.waiting.push_back((self.last, waker));
            }
        }
        Poll::Pending
    }

    /// No microtask is left: the next one's turn.
    pub fn next(&mut self) {
        if matches!(self.turn, Turn::Given(_)) {
            return;
        }
        self.turn = match self.waiting.pop_front() {
            Some((number, waker)) => {
                waker.wake();
                Turn::Given(number)
            }
            None => Turn::Free,
        };
    }

    /// Who waits goes away.
    pub fn give_up(&mut self, number: DeliveryNumber) {
        self.waiting.retain(|(waiting, _)| *waiting != number);
        if matches!(self.turn, Turn::Given(given) if given == number) {
            self.turn = Turn::Taken;
            self.next();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_after_the_other_in_the_order_in_which_they_came() {
        let cx = Context::from_waker(Waker::noop());
        let mut deliveries = Deliveries::default();
        let (mut a, mut b, mut c, mut d) = (None, None, None, None);
        assert!(deliveries.poll(&mut a, &cx).is_ready());
        for waits in [&mut b, &mut c, &mut d] {
            assert!(deliveries.poll(waits, &cx).is_pending());
        }
        deliveries.next();
        assert!(deliveries.poll(&mut c, &cx).is_pending(), "b was first");
        deliveries.next();
        assert!(
            deliveries.poll(&mut b, &cx).is_ready(),
            "and keeps its turn until it comes"
        );
        deliveries.next();
        deliveries.give_up(c.take().unwrap());
        assert!(deliveries.poll(&mut a, &cx).is_pending(), "d waits longer");
        assert!(deliveries.poll(&mut d, &cx).is_ready());
        deliveries.next();
        assert!(deliveries.poll(&mut a, &cx).is_ready());
        deliveries.next();
        assert!(deliveries.poll(&mut b, &cx).is_ready(), "nobody waits");
    }
}
