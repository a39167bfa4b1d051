//! AWS IoT Core: what a rule's
//! [Lambda action](https://docs.aws.amazon.com/iot/latest/developerguide/lambda-rule-action.html) invokes a function with,
//! and anything else that is invoked without an envelope.

use fourstroke::{
    error::Error,
    event::{Decoded, Event},
    ports::{Payload, Trigger},
    report::Report,
};

use crate::unstable;
pub use crate::whole::Whole;

/// Takes a payload as the one event it is: what the rule's SQL selected.
///
/// It has no id of its own. The invocation's request id stands in, which the payload's attribute
/// [`REQUEST_ID`](IotTrigger::REQUEST_ID) must say: where AWS Lambda tries an asynchronous invocation again, it is the same.
#[derive(Clone, Copy, Debug, Default)]
pub struct IotTrigger;

impl IotTrigger {
    /// The payload's attribute that is the id of the invocation.
    pub const REQUEST_ID: &str = "aws-request-id";
}

impl Trigger for IotTrigger {
    type Reply = Whole;

    fn decode(&self, payload: Payload) -> Result<Vec<Decoded>, Error> {
        let id = payload.attributes.into_iter().find(|(name, _)| *name == IotTrigger::REQUEST_ID);
        let event = match id {
            Some((_, id)) if !id.is_empty() => Event::new(id, payload.body),
            _ => Event { stable_id: false, ..Event::new(unstable::id("invocation"), payload.body) },
        };
        Ok(vec![event.into()])
    }

    fn reply(&self, report: &Report) -> Whole {
        report.into()
    }
}
