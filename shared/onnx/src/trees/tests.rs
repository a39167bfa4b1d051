//! The kernel against a walk that is obviously right.

use proptest::prelude::*;

use super::*;

/// A tree as a person would write it.
#[derive(Clone, Debug)]
enum Naive {
    Leaf(Vec<(usize, f32)>),
    Inner { column: usize, test: Test<f32>, nan_passes: bool, yes: Box<Naive>, no: Box<Naive> },
}

impl Naive {
    fn walk(&self, row: &[f32]) -> &[(usize, f32)] {
        match self {
            Naive::Leaf(weights) => weights,
            Naive::Inner { column, test, nan_passes, yes, no } => {
                let x = row[*column];
                let passes = match test {
                    _ if x.is_nan() => *nan_passes,
                    Test::Always => true,
                    Test::LessOrEqual(t) => x <= *t,
                    Test::Less(t) => x < *t,
                    Test::GreaterOrEqual(t) => x >= *t,
                    Test::Greater(t) => x > *t,
                    Test::Equal(t) => x == *t,
                    Test::NotEqual(t) => x != *t,
                    Test::Member(set) => set.contains(&x),
                };
                if passes { yes.walk(row) } else { no.walk(row) }
            }
        }
    }

    fn grow(&self, growth: &mut Growth<f32>) -> usize {
        match self {
            Naive::Leaf(weights) => {
                let from = growth.weights.len();
                growth.weights.extend(weights);
                growth.nodes.push(Node::Leaf { from, to: growth.weights.len() });
            }
            Naive::Inner { column, test, nan_passes, yes, no } => {
                let (yes, no) = (yes.grow(growth), no.grow(growth));
                let (column, test, nan_passes) = (*column, test.clone(), *nan_passes);
                growth.nodes.push(Node::Inner { column, test, nan_passes, yes, no });
            }
        }
        growth.nodes.len() - 1
    }
}

const COLUMNS: usize = 5;
const TARGETS: usize = 3;

fn number() -> impl Strategy<Value = f32> {
    prop_oneof![
        6 => (-4..5i8).prop_map(|n| f32::from(n) / 2.0),
        1 => prop::sample::select(vec![f32::INFINITY, f32::NEG_INFINITY, -0.0, f32::MIN_POSITIVE, f32::MAX]),
    ]
}

/// Which tests a tree has.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    AtMost,
    /// Categories too: small whole numbers.
    Categories,
    Any,
}

fn test(kind: Kind) -> BoxedStrategy<Test<f32>> {
    let at_most = prop_oneof![
        number().prop_map(Test::LessOrEqual),
        number().prop_map(Test::Less),
        number().prop_map(Test::GreaterOrEqual),
        number().prop_map(Test::Greater),
    ];
    let category = || prop_oneof![(0..6u8).prop_map(f32::from), (120..128u8).prop_map(f32::from)];
    match kind {
        Kind::AtMost => return at_most.boxed(),
        Kind::Categories => {
            return prop_oneof![
                at_most,
                category().prop_map(Test::Equal),
                category().prop_map(Test::NotEqual),
                prop::collection::vec(category(), 0..6).prop_map(|set| Test::Member(set.into())),
            ]
            .boxed();
        }
        Kind::Any => {}
    }
    prop_oneof![
        at_most,
        number().prop_map(Test::Equal),
        number().prop_map(Test::NotEqual),
        prop::collection::vec(number(), 0..4).prop_map(|set| Test::Member(set.into())),
    ]
    .boxed()
}

fn tree(kind: Kind) -> impl Strategy<Value = Naive> {
    let weights = prop_oneof![
        3 => (-8..9i8).prop_map(|n| vec![(1, f32::from(n))]),
        1 => prop::collection::vec((0..TARGETS, (-8..9i8).prop_map(f32::from)), 0..4),
        1 => Just((0..TARGETS).map(|target| (target, 0.5)).collect::<Vec<_>>()),
    ];
    weights.prop_map(Naive::Leaf).prop_recursive(7, 64, 2, move |below| {
        (0..COLUMNS, test(kind), any::<bool>(), below.clone(), below).prop_map(|(column, test, nan_passes, yes, no)| {
            Naive::Inner { column, test, nan_passes, yes: Box::new(yes), no: Box::new(no) }
        })
    })
}

fn ensemble() -> impl Strategy<Value = Vec<Naive>> {
    prop_oneof![
        prop::collection::vec(tree(Kind::AtMost), 0..20),
        prop::collection::vec(tree(Kind::Categories), 0..20),
        prop::collection::vec(tree(Kind::Any), 0..6),
    ]
}

fn rows() -> impl Strategy<Value = Vec<f32>> {
    let category = prop_oneof![(0..6u8).prop_map(f32::from), (118..132u8).prop_map(f32::from)];
    let number = prop_oneof![6 => number(), 3 => category, 1 => Just(f32::NAN)];
    (0..80usize).prop_flat_map(move |rows| prop::collection::vec(number.clone(), rows * COLUMNS))
}

fn expected(trees: &[Naive], row: &[f32], target: usize, aggregate: Aggregate) -> f32 {
    let said = trees.iter().flat_map(|tree| tree.walk(row)).filter(|(of, _)| *of == target).map(|(_, value)| *value);
    match aggregate {
        Aggregate::Sum => said.sum(),
        Aggregate::Average => said.sum::<f32>() / trees.len().max(1) as f32,
        Aggregate::Min => said.reduce(f32::min).unwrap_or(0.0),
        Aggregate::Max => said.reduce(f32::max).unwrap_or(0.0),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_kernel_says_what_walking_each_tree_says(
        trees in ensemble(),
        rows in rows(),
        aggregate in prop::sample::select(vec![Aggregate::Sum, Aggregate::Average, Aggregate::Min, Aggregate::Max]),
    ) {
        let mut growth = Growth { nodes: Vec::new(), roots: Vec::new(), weights: Vec::new(), targets: TARGETS };
        for tree in &trees {
            let root = tree.grow(&mut growth);
            growth.roots.push(root);
        }
        let mut ensemble = Ensemble::new(&growth, aggregate, false).unwrap();
        for marked in [true, false] {
            if !marked {
                ensemble.marked = None;
            }
            let mut scores = vec![7.0; rows.len() / COLUMNS * TARGETS];
            ensemble.score(&rows, COLUMNS, &mut scores);
            for (row, scores) in rows.chunks(COLUMNS).zip(scores.chunks(TARGETS)) {
                for (target, score) in scores.iter().enumerate() {
                    prop_assert_eq!(*score, expected(&trees, row, target, aggregate));
                }
            }
        }
    }
}

#[test]
fn what_is_no_tree_is_refused() {
    let inner = |yes, no| Node::Inner { column: 0, test: Test::LessOrEqual(0.5), nan_passes: false, yes, no };
    let leaf = Node::Leaf { from: 0, to: 1 };
    for (nodes, why) in [
        (vec![inner(0, 1), leaf.clone()], "node 0 is reached twice"),
        (vec![inner(1, 1), leaf.clone()], "node 1 is reached twice"),
        (vec![inner(1, 2), leaf.clone()], "node 2 is not there"),
        (vec![Node::Leaf { from: 0, to: 9 }], "has no weights"),
    ] {
        let growth = Growth { nodes, roots: vec![0], weights: vec![(0, 1.0)], targets: 1 };
        let refused = Ensemble::new(&growth, Aggregate::Sum, false).unwrap_err();
        assert!(refused.contains(why), "{refused}");
    }
    let growth = Growth { nodes: vec![leaf], roots: vec![0], weights: vec![(3, 1.0)], targets: 1 };
    assert!(Ensemble::new(&growth, Aggregate::Sum, false).unwrap_err().contains("beyond the 1"));
}

#[test]
fn a_tree_of_one_leaf_answers_in_either_float() {
    fn score<T: Float>(value: T, rows: &[T]) -> Vec<T> {
        let nodes = vec![Node::Leaf { from: 0, to: 1 }];
        let growth = Growth { nodes, roots: vec![0], weights: vec![(0, value)], targets: 1 };
        let mut scores = vec![T::ZERO; rows.len()];
        Ensemble::new(&growth, Aggregate::Sum, false).unwrap().score(rows, 1, &mut scores);
        scores
    }
    assert_eq!(score(1.5_f32, &[7.0; 20]), [1.5; 20]);
    assert_eq!(score(1.5_f64, &[7.0; 20]), [1.5; 20]);
}
