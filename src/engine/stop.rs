//! How a person breaks off what goes on: once gently, twice at once.

use tokio::sync::watch;

/// How far it is broken off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Not at all.
    #[default]
    No,
    /// Nothing new begins, what runs may end.
    Gently,
    /// What runs is dropped.
    Now,
}

/// The end that a person holds.
#[derive(Clone, Debug)]
pub struct Interrupter(watch::Sender<Stop>);

/// The end that a run listens to. It tells the state, not the moment: a run that begins after the interrupt sees it.
#[derive(Clone, Debug)]
pub struct Interrupts(watch::Receiver<Stop>);

/// Both ends.
pub fn interrupts() -> (Interrupter, Interrupts) {
    let (sender, receiver) = watch::channel(Stop::No);
    (Interrupter(sender), Interrupts(receiver))
}

impl Interrupter {
    /// One step further: gently at first, then at once.
    pub fn interrupt(&self) {
        self.0.send_modify(|stop| {
            *stop = match stop {
                Stop::No => Stop::Gently,
                Stop::Gently | Stop::Now => Stop::Now,
            };
        });
    }
    /// At least so far.
    pub fn set(&self, wanted: Stop) {
        self.0.send_modify(|stop| *stop = (*stop).max(wanted));
    }
}

impl Interrupts {
    /// Never broken off.
    pub fn never() -> Self {
        interrupts().1
    }
    /// How far it is broken off now.
    pub fn now(&self) -> Stop {
        *self.0.borrow()
    }
    /// Returns when it is broken off at least so far; never, when nobody can do that any more.
    pub async fn reached(&self, wanted: Stop) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|stop| *stop >= wanted).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_interrupt_goes_one_step_further() {
        let (interrupter, interrupts) = interrupts();
        assert_eq!(interrupts.now(), Stop::No);
        interrupter.interrupt();
        interrupts.reached(Stop::Gently).await;
        assert_eq!(interrupts.now(), Stop::Gently);
        interrupter.interrupt();
        interrupter.interrupt();
        interrupts.reached(Stop::Now).await;
        interrupter.set(Stop::Gently);
        assert_eq!(interrupts.now(), Stop::Now);
    }
}
