//! `bellwether notify test`: sends a test to one receiver, once and from this process, and prints
//! what came of it.

use std::process::ExitCode;

use domain::Timestamp;
use notify::{Alert, EndpointError, Message, NoticeBody};

use crate::cli::NotifyTest;
use crate::clock;
use crate::config::{Config, Receiver, ReceiverKind};
use crate::delivering::delivery;
use crate::paging::policy;

/// What is wrong with the command line or the configuration.
#[derive(Debug, thiserror::Error)]
pub enum NotifyTestError {
    #[error("find receiver {name:?}: {}", known_in_words(.known))]
    Unknown { name: String, known: Vec<String> },
    #[error("reach receiver {name:?}")]
    Unusable {
        name: String,
        #[source]
        source: EndpointError,
    },
}

fn known_in_words(known: &[String]) -> String {
    match known {
        [] => "notify.receivers of the configuration is empty".to_owned(),
        known => format!("there are {}", known.join(", ")),
    }
}

/// Sends and prints; the exit code tells whether the receiver took it.
///
/// # Errors
/// [`NotifyTestError`]: no receiver of this name, or one whose address, header or CA file can't be
/// used.
pub async fn notify_test(config: Config, asked: &NotifyTest) -> anyhow::Result<ExitCode> {
    let receiver = named(&config, &asked.receiver)?;
    let unusable = |source| NotifyTestError::Unusable {
        name: receiver.name.clone(),
        source,
    };
    let delivery = delivery(receiver).map_err(unusable)?;
    let now = clock::now();
    let body = NoticeBody::test(&receiver.name, now, &policy(&config));
    let message = message(receiver, &body, now);
    let (kind, bytes) = (kind_in_words(receiver), message.json.len());
    println!("to {}, {kind} at {}", receiver.name, delivery.address());
    println!("sent: {} ({bytes} bytes)", body.text);
    if let Some(missing) = &body.link_missing {
        println!("without a link: {missing}");
    }
    match delivery.send(&message, now).await {
        Ok(()) => {
            println!("it was taken");
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            println!("it was not taken: {error}");
            Ok(ExitCode::FAILURE)
        }
    }
}

fn named<'a>(config: &'a Config, name: &str) -> Result<&'a Receiver, NotifyTestError> {
    let receivers = &config.notify.receivers;
    let found = receivers.iter().find(|receiver| receiver.name == name);
    found.ok_or_else(|| NotifyTestError::Unknown {
        name: name.to_owned(),
        known: receivers.iter().map(|known| known.name.clone()).collect(),
    })
}

/// As the courier would make it.
fn message(receiver: &Receiver, body: &NoticeBody, now: Timestamp) -> Message {
    let bodies = std::slice::from_ref(body);
    match receiver.kind {
        ReceiverKind::Alertmanager(_) => Message::alerts(&Alert::of(bodies)),
        ReceiverKind::Webhook(_) => {
            let key = format!("test/{}", now.as_millis());
            Message::webhook(&receiver.name, &key, bodies, 1)
        }
    }
}

fn kind_in_words(receiver: &Receiver) -> &'static str {
    match receiver.kind {
        ReceiverKind::Alertmanager(_) => "an Alertmanager",
        ReceiverKind::Webhook(_) => "a webhook",
    }
}
