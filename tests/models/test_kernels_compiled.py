"""What the kernels compile to for an H100, without having one: wide loads, matrix units, memory that fits, no spills.

Triton's compiler needs no GPU. It runs in a process of its own, for where kernels are interpreted none are compiled.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest

SHARED_BYTES = 227 * 1024  # of a multiprocessor, to one block of threads
HEADS, MULTIPROCESSORS, ROWS = 32, 132, 131_072


def compiled(latent: int, rope: int, bits: int) -> dict[str, int]:
    """Compile the attention kernel for one kind of rows, queries in bfloat16; count what matters in the result."""
    import torch
    import triton
    import triton.language as tl
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from vidence.models.internvideo3.kernels.absorbed import attend_split
    from vidence.models.internvideo3.kernels.blocks import Limits, choose
    from vidence.models.internvideo3.rows import Rows

    dtype = torch.int8 if bits == 8 else torch.bfloat16
    rows = Rows(torch.empty(1, ROWS, latent + rope, dtype=dtype, device="meta"), latent)
    cut = choose(1, HEADS, rows, torch.bfloat16, Limits(MULTIPROCESSORS, SHARED_BYTES))
    assert cut is not None
    constants = {
        "R": latent,
        "P": rope,
        "BLOCK_R": cut.latent,
        "BLOCK_P": cut.rope,
        "BLOCK_M": cut.query_rows,
        "BLOCK_S": cut.rows,
        "COMPUTE": tl.bfloat16,
        "INT8": bits == 8,
        "LIMITED": True,
        "WIDEN": False,
    }
    pointers = {
        "q_BMW": "*bf16",
        "rows_BSW": "*i8" if bits == 8 else "*bf16",
        "scales_BS": "*i32",
        "limits_BL": "*i64",
        "out_BKMR": "*fp32",
        "lse_BKM": "*fp32",
    }
    names = attend_split.arg_names
    kinds = {name: "constexpr" if name in constants else pointers.get(name, "i32") for name in names}
    kinds["scale_log2"] = "fp32"
    aligned = {*pointers, "rows_a_split", "query_rows", "rows_stride_b", "rows_stride_s"}
    source = ASTSource(
        fn=attend_split,
        signature=kinds,
        constexprs={(names.index(name),): value for name, value in constants.items()},
        attrs={(names.index(name),): [["tt.divisibility", 16]] for name in aligned},
    )
    options = {"num_warps": cut.warps, "num_stages": cut.stages}
    made = triton.compile(source, target=GPUTarget("cuda", 90, 32), options=options)
    dump = Path(triton.__file__).parent / "backends/nvidia/bin/cuobjdump"
    with tempfile.NamedTemporaryFile(suffix=".cubin") as cubin:
        cubin.write(made.asm["cubin"])
        cubin.flush()
        usage = subprocess.run([dump, "--dump-resource-usage", cubin.name], capture_output=True, text=True)
    ptx = made.asm["ptx"]
    wide = len(re.findall(r"cp\.async\.cg\.shared\.global .*, 0x10,|ld\.global\.v4\.b32", ptx))
    return {
        "shared_bytes": made.metadata.shared,
        "spilled_bytes": int(re.search(r"STACK:(\d+)", usage.stdout).group(1)),
        "wide_loads": wide,
        "narrow_loads": len(re.findall(r"ld\.global(?!\.v4)[\w.]*\s|cp\.async\.ca", ptx)),
        "matrix_products": len(re.findall(r"mma[\w.]*\.bf16", ptx)),
    }


@pytest.mark.skipif(
    find_spec("triton") is None, reason="Triton is not installed: it comes with torch for GPUs"
)
@pytest.mark.parametrize("bits", [16, 8])
@pytest.mark.parametrize(("latent", "rope"), [(512, 64), (896, 128)])
def test_compiles_to_wide_loads_without_spills(latent: int, rope: int, bits: int) -> None:
    command = [sys.executable, __file__, str(latent), str(rope), str(bits)]
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["spilled_bytes"] == 0
    assert found["shared_bytes"] <= SHARED_BYTES
    assert found["matrix_products"] > 50
    # Narrow loads are those of limits and scales: a few words, none of them of rows or queries.
    assert found["wide_loads"] >= 9
    assert found["narrow_loads"] <= 12


if __name__ == "__main__":
    sys.stdout.write(json.dumps(compiled(*(int(argument) for argument in sys.argv[1:4]))) + "\n")
