//! How tasks are told to end.

use tokio::sync::watch;

/// Waits until it is time to stop, also because whoever would say so is gone.
pub async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
