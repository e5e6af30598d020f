//! Times the inner loops (`src/cli/bench/kernels`): `cargo bench`, or some of them: `cargo bench -- pdf`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tidegauge::cli::bench::kernels::KERNELS;

fn kernels(criterion: &mut Criterion) {
    for kernel in &KERNELS {
        let mut group = criterion.benchmark_group(kernel.name);
        group.throughput(Throughput::Elements(kernel.pieces)).sample_size(20);
        let mut work = (kernel.prepare)();
        group.bench_function("once", |bencher| bencher.iter(&mut work));
        group.finish();
    }
}

criterion_group!(benches, kernels);
criterion_main!(benches);
