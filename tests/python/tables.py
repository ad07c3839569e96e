"""Opens every Arrow table under a folder with pyarrow and checks what a reader relies on."""
import pathlib, sys

import pyarrow as pa

root = pathlib.Path(sys.argv[1])
tables = {str(path.relative_to(root)): pa.ipc.open_file(pa.memory_map(str(path))).read_all() for path in sorted(root.rglob("*.arrow"))}
assert {"songs/rows.arrow", "folds/train.arrow", "titles/rows.arrow", "fused/curves.arrow", "predict/rows.arrow"} <= set(tables), list(tables)
songs, titles = tables["songs/rows.arrow"], tables["titles/rows.arrow"]
assert songs.num_rows == titles.num_rows == 240
assert songs.schema.field("tempo").type == pa.float64() and songs.column("energy").null_count > 0
embedding = titles.schema.field("runner.title_embedding").type
assert pa.types.is_fixed_size_list(embedding) and embedding.value_type == pa.float32() and embedding.list_size == 8, embedding
parts = [tables[f"folds/{part}.arrow"].num_rows for part in ("train", "valid", "test")]
assert sum(parts) == 240 == tables["folds/rows.arrow"].num_rows, parts
curves = tables["fused/curves.arrow"]
assert {"epoch", "train_loss", "valid_loss", "valid_macro_f1", "learning_rate", "gradient_norm"} <= set(curves.column_names)
predicted = tables["predict/rows.arrow"].to_pydict()
assert all(abs(sum(row) - 1) < 1e-5 for row in zip(predicted["runner.p_rap"], predicted["runner.p_rock"]))
print(f"{len(tables)} tables")
