//! Processor time per batch, with criterion: each face, and batches of each size.

#![allow(missing_docs)]

use criterion::{
    BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
    measurement::{Measurement, ValueFormatter, WallTime},
};
use fourstroke_bench::{Face, Flights, Job, cpu_time};

/// Processor time instead of the clock on the wall.
struct CpuTime;

impl Measurement for CpuTime {
    type Intermediate = std::time::Duration;
    type Value = std::time::Duration;

    fn start(&self) -> Self::Intermediate {
        cpu_time()
    }

    fn end(&self, started: Self::Intermediate) -> Self::Value {
        cpu_time().saturating_sub(started)
    }

    fn add(&self, one: &Self::Value, other: &Self::Value) -> Self::Value {
        *one + *other
    }

    fn zero(&self) -> Self::Value {
        Self::Value::ZERO
    }

    fn to_f64(&self, value: &Self::Value) -> f64 {
        value.as_nanos() as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

fn faces(criterion: &mut Criterion<CpuTime>) {
    const BATCH: usize = 1_000;
    let flights = Flights::read().expect("the example's data");
    let mut group = criterion.benchmark_group("face");
    group.throughput(Throughput::Elements(BATCH as u64));
    for face in Face::ALL {
        let job = Job::new(face).expect("the example");
        let mut batches = flights.batches(usize::MAX / 2, BATCH);
        group.bench_function(BenchmarkId::from_parameter(face), |bencher| {
            let next = || batches.next().expect("the batches go on");
            bencher.iter_batched(next, |batch| job.run([batch].into_iter()), BatchSize::PerIteration);
        });
    }
}

fn sizes(criterion: &mut Criterion<CpuTime>) {
    let flights = Flights::read().expect("the example's data");
    let job = Job::new(Face::Yaml).expect("the example");
    let mut group = criterion.benchmark_group("batch");
    group.sample_size(20);
    for size in [1, 10, 100, 1_000, 10_000] {
        group.throughput(Throughput::Elements(size as u64));
        let mut batches = flights.batches(usize::MAX / 2, size);
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            let next = || batches.next().expect("the batches go on");
            bencher.iter_batched(next, |batch| job.run([batch].into_iter()), BatchSize::PerIteration);
        });
    }
}

criterion_group! { name = all; config = Criterion::default().with_measurement(CpuTime); targets = faces, sizes }
criterion_main!(all);
