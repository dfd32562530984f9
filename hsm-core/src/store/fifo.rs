//! A mutual exclusion that serves threads in the order in which they came, and gives up at a
//! deadline. `std::sync::Mutex` does neither: under load the thread that has just released it mostly
//! takes it again. Between processes, `writer_queue` continues the line.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::Instant;

/// The line.
#[derive(Debug, Default)]
pub(super) struct Fifo {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    held: bool,
    /// Who the place was handed to and has not woken up yet; `held` stays true meanwhile.
    handed_to: Option<u64>,
    waiting: VecDeque<(u64, Thread)>,
    next: u64,
}

/// Being at the head of the line; dropping it lets the next thread go.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    line: &'a Fifo,
}

impl Fifo {
    /// Waits for its turn until `deadline`; `None` when that has passed.
    pub(super) fn wait(&self, deadline: Instant) -> Option<Turn<'_>> {
        let number = {
            let mut state = self.state();
            if !state.held {
                state.held = true;
                return Some(Turn { line: self });
            }
            let number = state.next;
            state.next = number.wrapping_add(1);
            state.waiting.push_back((number, std::thread::current()));
            number
        };
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            // Wakes early without reason now and then, which the loop takes care of.
            std::thread::park_timeout(left);
            let mut state = self.state();
            if state.handed_to == Some(number) {
                state.handed_to = None;
                return Some(Turn { line: self });
            }
            if Instant::now() >= deadline {
                state.waiting.retain(|(other, _)| *other != number);
                return None;
            }
        }
    }

    /// Takes the turn if nobody has it or waits for it.
    pub(super) fn try_now(&self) -> Option<Turn<'_>> {
        let mut state = self.state();
        if state.held {
            return None;
        }
        state.held = true;
        Some(Turn { line: self })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is locked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.line.state();
        match state.waiting.pop_front() {
            Some((number, thread)) => {
                state.handed_to = Some(number);
                thread.unpark();
            }
            None => state.held = false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    /// Waits until `count` threads stand in the line.
    fn until_waiting(line: &Fifo, count: usize) {
        while line.state().waiting.len() < count {
            std::thread::yield_now();
        }
    }

    #[test]
    fn threads_are_served_in_the_order_they_came() {
        let line = Fifo::default();
        let order = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            let first = line.wait(soon()).unwrap();
            for number in 0..10 {
                let (line, order) = (&line, &order);
                scope.spawn(move || {
                    let _turn = line.wait(soon()).unwrap();
                    order.lock().unwrap().push(number);
                });
                until_waiting(line, number + 1);
            }
            drop(first);
        });
        assert_eq!(order.into_inner().unwrap(), (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn only_one_thread_has_the_turn() {
        let line = Fifo::default();
        let inside = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let _turn = line.wait(soon()).unwrap();
                        assert!(!inside.swap(true, Ordering::SeqCst));
                        inside.store(false, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(line.try_now().is_some(), "the line is free afterwards");
    }

    #[test]
    fn a_thread_that_gave_up_holds_nobody_back() {
        let line = Fifo::default();
        std::thread::scope(|scope| {
            let first = line.wait(soon()).unwrap();
            let impatient = scope.spawn(|| line.wait(Instant::now() + Duration::from_millis(20)).is_none());
            assert!(impatient.join().unwrap());
            let patient = scope.spawn(|| line.wait(soon()).is_some());
            until_waiting(&line, 1);
            drop(first);
            assert!(patient.join().unwrap());
        });
    }

    #[test]
    fn trying_does_not_wait() {
        let line = Fifo::default();
        let turn = line.try_now().unwrap();
        assert!(line.try_now().is_none());
        drop(turn);
        assert!(line.try_now().is_some());
    }
}
