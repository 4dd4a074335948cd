"""Dequantizing beside gguf-py, in one run: the best of some for each type of tensor.

    python benches/dequantize.py        with modelkeep, gguf and numpy installed
"""

import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import gguf
import modelkeep
import numpy as np
from gguf import GGMLQuantizationType as Type

NAMES = "F16 BF16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K IQ4_NL MXFP4".split()
ROWS, LENGTH = 1024, 4096


def write(path: Path) -> None:
    random = np.random.default_rng(1)
    writer = gguf.GGUFWriter(path, "llama")
    for name in NAMES:
        elements, size = gguf.GGML_QUANT_SIZES[Type[name]]
        # Without the highest bits the scales are finite.
        data = random.integers(0, 64, (ROWS, LENGTH // elements * size), dtype=np.uint8)
        writer.add_tensor(name, data, raw_dtype=Type[name])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def best(call: Callable[[], object], times: int = 9) -> float:
    found = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return min(found)


def main() -> None:
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "numbers.gguf"
        write(path)
        theirs = {tensor.name: tensor.data for tensor in gguf.GGUFReader(path).tensors}
        ours = modelkeep.Gguf(path).tensors
        for name in NAMES:
            reference = best(
                lambda: np.asarray(gguf.dequantize(theirs[name], Type[name]), np.float32)
            )
            own = best(ours[name].to_numpy)
            print(f"{name:7} gguf-py {reference * 1e3:7.2f} ms  modelkeep {own * 1e3:6.2f} ms"
                  f"  {reference / own:5.1f}x")


main()
