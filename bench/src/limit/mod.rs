//! The limit: what examples/flights does, written by hand for these events alone, with typed structs and nothing that
//! could be configured. It makes the same decision log as the pipeline.

mod entry;
mod flight;
mod tables;

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};
use fourstroke::{
    event::Decoded,
    ports::{Model, Tensor, Tensors},
};
use rayon::prelude::*;

use entry::{Action, Answer, Decided, decision_id, outcome};
use flight::Flight;
use tables::{Cached, Plane, Tables, Weather};

const NAME: &str = "flight-delays";
const FULL: usize = 20;
const EVENT_ONLY: usize = 9;

/// Both models, the tables with their caches, and the lists of categories.
pub struct Limit {
    late: Arc<dyn Model>,
    event_only: Arc<dyn Model>,
    tables: Tables,
    carriers: HashMap<String, f32>,
    dests: HashMap<String, f32>,
}

/// What a batch came to.
#[derive(Debug, Default)]
pub struct Written {
    /// Decision-log entries, in the batch's order.
    pub log: Vec<Vec<u8>>,
    /// Actions as CloudEvents.
    pub actions: Vec<Vec<u8>>,
}

impl Limit {
    /// Loads everything.
    ///
    /// # Errors
    /// When a file of the example cannot be read.
    pub fn load(model: impl Fn(&[u8]) -> Result<Arc<dyn Model>, String>) -> anyhow::Result<Limit> {
        let folder = crate::events::example();
        let model = |name: &str| -> anyhow::Result<Arc<dyn Model>> {
            model(&std::fs::read(folder.join("models").join(name))?).map_err(anyhow::Error::msg)
        };
        let list = |name: &str| -> anyhow::Result<HashMap<String, f32>> {
            let list: Vec<String> = serde_json::from_slice(&std::fs::read(folder.join("models").join(name))?)?;
            Ok(list.into_iter().enumerate().map(|(place, name)| (name, place as f32)).collect())
        };
        Ok(Limit {
            late: model("late_no_history.onnx")?,
            event_only: model("late_event_only.onnx")?,
            tables: Tables::load(&folder.join("data"))?,
            carriers: list("carriers.json")?,
            dests: list("dests.json")?,
        })
    }

    /// Decides a batch, in chunks of 256 on all of rayon's threads.
    pub fn run(&self, batch: &[Decoded], now: DateTime<Utc>) -> Written {
        const CHUNK: usize = 256;
        let chunks: Vec<Written> = batch.par_chunks(CHUNK).map(|chunk| self.chunk(chunk, now, batch.len())).collect();
        let mut whole = Written::default();
        for chunk in chunks {
            whole.log.extend(chunk.log);
            whole.actions.extend(chunk.actions);
        }
        whole
    }

    fn chunk(&self, chunk: &[Decoded], now: DateTime<Utc>, size: usize) -> Written {
        let flights: Vec<Flight<'_>> =
            chunk.iter().map(|input| serde_json::from_slice(&input.event().body).expect("a flight")).collect();
        let shaped: Vec<(String, DateTime<Utc>, String)> = flights.iter().map(Flight::shape).collect();
        let weather: Vec<Cached<Weather>> = flights
            .iter()
            .zip(&shaped)
            .map(|(flight, (_, _, hour))| self.tables.weather(flight.origin, hour, now))
            .collect();
        let planes: Vec<Cached<Plane>> = flights.iter().map(|flight| self.tables.plane(flight.tailnum, now)).collect();

        let boarding: Vec<usize> = (0..flights.len()).filter(|place| flights[*place].kind == "boarding").collect();
        let mut full = Vec::with_capacity(boarding.len() * FULL);
        let mut event_only = Vec::with_capacity(boarding.len() * EVENT_ONLY);
        for place in &boarding {
            let columns = self.columns(&flights[*place]);
            event_only.extend_from_slice(&columns);
            full.extend_from_slice(&columns);
            weather[*place].row.columns(&mut full);
            planes[*place].row.columns(&mut full);
        }
        let late = scores(&*self.late, full, boarding.len());
        let late_event_only = scores(&*self.event_only, event_only, boarding.len());

        let mut answers: Vec<Option<[Answer; 2]>> = vec![None; flights.len()];
        for (row, place) in boarding.into_iter().enumerate() {
            answers[place] = Some([Answer::of(&late, row), Answer::of(&late_event_only, row)]);
        }
        let mut written = Written { log: Vec::with_capacity(flights.len()), actions: Vec::new() };
        for (place, flight) in flights.iter().enumerate() {
            let (route, at, _) = &shaped[place];
            let (weather, plane, answers) = (&weather[place], &planes[place], answers[place].as_ref());
            let id = decision_id(flight.id);
            let action = answers
                .filter(|[late, _]| late.probability * plane.row.seats as f64 >= 75.0)
                .map(|[late, _]| Action::rebook(flight, route, late.probability, plane.row.seats));
            if let Some(action) = &action {
                written.actions.push(action.cloud_event(flight, *at, &id));
            }
            let decided = Decided {
                flight,
                route,
                at: *at,
                weather,
                plane,
                answers,
                action: action.as_ref(),
                id: &id,
                now,
                batch_size: size,
            };
            written.log.push(decided.write());
            if flight.kind == "arrived" {
                written.log.push(outcome(flight, *at));
            }
        }
        written
    }

    fn columns(&self, flight: &Flight<'_>) -> [f32; EVENT_ONLY] {
        let number = |value: Option<i64>| value.expect("boarding has it") as f32;
        let origin = ["EWR", "JFK", "LGA"].iter().position(|known| *known == flight.origin);
        [
            self.carriers.get(flight.carrier).copied().unwrap_or(-1.0),
            origin.map_or(-1.0, |place| place as f32),
            self.dests.get(flight.dest).copied().unwrap_or(-1.0),
            flight.distance.expect("boarding has it") as f32,
            number(flight.weekday),
            number(flight.departure_minute),
            number(flight.arrival_minute),
            number(flight.block_minutes),
            number(flight.hour_departures),
        ]
    }
}

fn scores(model: &dyn Model, data: Vec<f32>, rows: usize) -> Vec<f32> {
    if rows == 0 {
        return Vec::new();
    }
    let inputs = Tensors { rows, data: vec![Tensor::F32(data)] };
    let outputs = model.infer(&inputs).expect("the model runs");
    outputs
        .data
        .into_iter()
        .find_map(|tensor| match tensor {
            Tensor::F32(scores) => Some(scores),
            _ => None,
        })
        .expect("scores")
}
