"""The matrix products of `synglot bench kernels` in PyTorch (cuBLAS on NVIDIA), and how fast synglot's are beside them.

    node packages/bench/dist/kernels.js
    python packages/bench/peers/torch_products.py packages/bench/results/gpu/kernels.json --output products.json

Reads the sizes, element types and medians of the file; run both on the same machine, one right after the other. fp32
without TF32, fp16 with sums in fp32 (PyTorch's `allow_fp16_reduced_precision_reduction` off); operands stay where they
are, transposes are views. Times are of the device, by CUDA events (wall clock on a CPU), each of enough products to last
milliseconds, after a fifth of a second of them, as synglot's are: libraries load and clocks rise. Needs torch.
"""

import argparse
import json
import platform
import statistics
import time

import torch


def operands(product, device):
    kind, m, n, k = (product[name] for name in ("kind", "m", "n", "k"))
    dtype = {"f32": torch.float32, "f16": torch.float16}[product["element"]]
    draw = lambda *shape: (torch.rand(*shape, device=device) * 2 - 1).to(dtype)
    a = draw(k, m).T if kind == "tn" else draw(m, k)
    b = draw(n, k).T if kind == "nt" else draw(k, n)
    return a, b


def seconds_each(a, b, repeats, device):
    out = torch.empty(a.shape[0], b.shape[1], dtype=a.dtype, device=device)
    if device == "cpu":
        begin = time.perf_counter()
        for _ in range(repeats):
            torch.matmul(a, b, out=out)
        return (time.perf_counter() - begin) / repeats
    first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    first.record()
    for _ in range(repeats):
        torch.matmul(a, b, out=out)
    last.record()
    last.synchronize()
    return first.elapsed_time(last) / 1000 / repeats


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kernels", help="kernels.json of the same machine")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--output")
    args = parser.parse_args()
    with open(args.kernels, encoding="utf-8") as file:
        kernels = json.load(file)
    ops = [op for op in kernels["ops"] if "product" in op]
    if not ops:
        raise SystemExit(f"{args.kernels}: no matrix product in it; make it anew with `synglot bench kernels`")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False
    device = "cuda" if torch.cuda.is_available() else "cpu"
    rows = []
    for op in ops:
        a, b = operands(op["product"], device)
        until = time.perf_counter() + 0.2
        while time.perf_counter() < until:
            seconds_each(a, b, 3, device)
        once = max(seconds_each(a, b, 3, device), 1e-7)
        repeats = max(1, min(1000, round(0.005 / once)))
        ordered = sorted(seconds_each(a, b, repeats, device) for _ in range(args.runs))
        at = lambda share: ordered[min(len(ordered) - 1, int(share * len(ordered)))]
        median = statistics.median(ordered)
        flops = 2 * op["product"]["m"] * op["product"]["n"] * op["product"]["k"]
        rows.append(
            {
                "name": op["name"],
                "seconds": {"median": median, "p10": at(0.1), "p90": at(0.9), "runs": len(ordered)},
                "gflops_per_second": flops / median / 1e9,
                "synglot_gflops_per_second": op["gflops_per_second"],
                "synglot_kernels": op["kernels"],
                "synglot_share": op["gflops_per_second"] / (flops / median / 1e9),
            }
        )
        print(f"{op['name']:<58} {rows[-1]['gflops_per_second']:>10.1f} GFLOP/s, synglot {rows[-1]['synglot_share']:.2f} of it")
    result = {
        "library": "torch",
        "versions": {"torch": torch.__version__, "cuda": torch.version.cuda, "python": platform.python_version()},
        "device": torch.cuda.get_device_name() if device == "cuda" else platform.processor() or "cpu",
        "beside": {"commit": kernels["commit"], "device": kernels["device"]["name"], "driver": kernels["device"]["driver"]},
        "products": rows,
    }
    if args.output:
        with open(args.output, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=2)


if __name__ == "__main__":
    main()
