"""The commands as a user meets them: output, messages, exit codes, bad input."""

from __future__ import annotations

import csv
import json
import shutil
import struct
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from artnet.cli.main import main
from artnet.model.classifier import Classifier
from artnet.model.config import GRAPH_FILE, default_model
from fixtures.margins import framed, textured


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Artnet = Callable[..., Outcome]


@pytest.fixture
def artnet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Artnet:
    """Run the command line in this process."""

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["artnet", *(str(argument) for argument in arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        printed = capsys.readouterr()
        return Outcome(int(stop.value.code or 0), printed.out, printed.err)

    return run


def png_header(width: int, height: int) -> bytes:
    """Make a PNG that declares a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(900))) + chunk(b"IEND", b"")
    )


def test_one_image_as_json_is_one_object(artnet: Artnet, painting_file: Path) -> None:
    done = artnet("classify", painting_file, "--json")
    assert done.code == 0
    assert json.loads(done.out)["source"] == str(painting_file)
    assert done.err == ""


def test_python_and_the_command_line_give_the_same_bits(
    artnet: Artnet, classifier: Classifier, painting_file: Path
) -> None:
    first = json.loads(artnet("classify", painting_file, "--json", "--precision", "f32").out)
    again = json.loads(artnet("classify", painting_file, "--json", "--precision", "f32").out)
    assert first == again == classifier.classify(painting_file).to_dict()


def test_several_sources_as_json_are_a_list_with_failures_in_their_place(
    artnet: Artnet, painting_file: Path, tmp_path: Path
) -> None:
    done = artnet("classify", painting_file, tmp_path / "gone.jpg", painting_file, "--json")
    first, failed, last = json.loads(done.out)
    assert done.code == 1
    assert first == last
    assert failed == {"source": str(tmp_path / "gone.jpg"), "error": failed["error"]}
    assert failed["error"]["kind"] == "missing"
    assert "gone.jpg" in done.err


def test_a_folder_is_a_list_even_of_one(artnet: Artnet, painting_file: Path) -> None:
    assert len(json.loads(artnet("classify", painting_file.parent, "--json").out)) == 1


def test_people_get_one_line_an_image(artnet: Artnet, painting_file: Path) -> None:
    done = artnet("classify", painting_file)
    assert done.out.count("\n") == 1
    assert done.out.startswith(f"{painting_file}: ")


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("empty.jpg", b"", "empty"),
        ("text.jpg", b"Dear Sir or Madam, this is no picture.", "format"),
        ("huge.png", png_header(30000, 30000), "too-large"),
        ("cut.png", png_header(300, 300)[:60], "corrupt"),
    ],
)
def test_a_bad_image_is_one_sentence_and_the_others_are_classified(
    artnet: Artnet, painting_file: Path, tmp_path: Path, name: str, data: bytes, kind: str
) -> None:
    (tmp_path / name).write_bytes(data)
    done = artnet("classify", tmp_path / name, painting_file, "--json")
    failed, answered = json.loads(done.out)
    assert done.code == 1
    assert failed["error"]["kind"] == kind
    assert name in failed["error"]["message"]
    assert "movement" in answered
    assert "Traceback" not in done.err


def test_what_is_passed_over_is_counted(artnet: Artnet, painting_file: Path, tmp_path: Path) -> None:
    for name in ("._a.jpg", "Thumbs.db"):
        (painting_file.parent / name).touch()
    assert artnet("classify", painting_file.parent).err == "1 images, 0 failed, 2 hidden or system files passed over\n"
    done = artnet("classify", painting_file.parent, "--out", tmp_path / "table.csv")
    assert done.err.splitlines()[-1].startswith("1 images, 0 failed, 2 hidden or system files passed over; written")


def test_a_list_that_is_no_utf8_is_told_once(artnet: Artnet, painting_file: Path, tmp_path: Path) -> None:
    table = tmp_path / "list.csv"
    table.write_bytes(f"path,style\n{painting_file},Fl\u00e4che\n".encode("cp1252"))
    done = artnet("classify", table, table, "--json")
    assert [each["label"] for each in json.loads(done.out)] == ["Fl\u00e4che", "Fl\u00e4che"]
    warning = f"artnet: warning: {table}: is not in UTF-8; read as Windows-1252: save it as UTF-8 if letters are wrong"
    assert done.err.splitlines().count(warning) == 1


def test_an_encoding_that_nobody_knows_is_refused(artnet: Artnet, painting_file: Path) -> None:
    done = artnet("classify", painting_file, "--zip-encoding", "klingon")
    assert done.code == 2
    assert "--zip-encoding 'klingon' is not an encoding that Python knows; use cp932" in done.err


def test_a_folder_without_images_is_a_failure(artnet: Artnet, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing here")
    done = artnet("classify", tmp_path)
    assert done.code == 1
    assert "holds no image" in done.err


def test_an_image_of_one_pixel_is_classified(artnet: Artnet, tmp_path: Path) -> None:
    Image.new("RGB", (1, 1)).save(tmp_path / "dot.png")
    assert artnet("classify", tmp_path / "dot.png", "--json", "--all-views").code == 0


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_table_is_written(artnet: Artnet, painting_file: Path, tmp_path: Path, ending: str) -> None:
    done = artnet("classify", painting_file, "--out", tmp_path / f"table.{ending}")
    assert done.code == 0
    assert (tmp_path / f"table.{ending}").stat().st_size > 0
    assert "1 images, 0 failed" in done.err


def test_a_table_holds_failures_too(artnet: Artnet, painting_file: Path, tmp_path: Path) -> None:
    done = artnet("classify", painting_file, tmp_path / "gone.jpg", "--out", tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="") as file:
        good, bad = csv.DictReader(file)
    assert done.code == 1
    assert (good["error_kind"], bad["error_kind"]) == ("", "missing")


def test_a_table_and_json_at_once_are_refused(artnet: Artnet, painting_file: Path, tmp_path: Path) -> None:
    assert artnet("classify", painting_file, "--json", "--out", tmp_path / "table.csv").code == 2


def test_an_explanation_never_replaces_the_painting(artnet: Artnet, painting_file: Path) -> None:
    before = painting_file.read_bytes()
    assert artnet("explain", painting_file, "--out", painting_file).code == 2
    assert painting_file.read_bytes() == before


def test_an_existing_table_is_left_alone(artnet: Artnet, painting_file: Path, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("mine")
    assert artnet("classify", painting_file, "--out", tmp_path / "table.csv").code == 7
    assert (tmp_path / "table.csv").read_text() == "mine"


def test_an_existing_table_is_replaced_or_resumed_only_by_an_option(
    artnet: Artnet, painting_file: Path, tmp_path: Path
) -> None:
    table = tmp_path / "table.csv"
    table.write_text("mine")
    again = artnet("classify", painting_file, "--out", table, "--resume")
    assert (again.code, table.read_text()) == (0, "mine")
    assert "is complete already" in again.err
    assert artnet("classify", painting_file, "--out", table, "--overwrite").code == 0
    assert table.read_text().startswith("source,sha256")
    assert artnet("classify", painting_file, "--resume").code == 2
    assert artnet("classify", painting_file, "--out", table, "--resume", "--overwrite").code == 2


def test_failing_fast_stops_and_is_resumed_from_there(artnet: Artnet, painting_file: Path, tmp_path: Path) -> None:
    bad, table = tmp_path / "bad.png", tmp_path / "table.csv"
    bad.write_bytes(b"no picture")
    arguments = ("classify", painting_file, bad, painting_file, "--out", table)
    stopped = artnet(*arguments, "--fail-fast")
    assert stopped.code == 3
    assert "1 rows are kept; continue by the same command with --resume" in stopped.err
    bad.write_bytes(painting_file.read_bytes())
    assert artnet(*arguments, "--fail-fast", "--resume").code == 0
    with table.open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 3


def test_a_summary_ends_a_table(artnet: Artnet, painting_file: Path, tmp_path: Path) -> None:
    done = artnet("classify", painting_file, tmp_path / "gone.jpg", "--out", tmp_path / "table.jsonl")
    kept = done.err.splitlines()[-4:]
    assert [line.split(":")[0] for line in kept[:3]] == ["movements", "decisions", "failures"]
    assert kept[2] == "failures: 1 missing"
    assert kept[3].startswith("2 images, 1 failed")


def test_all_views_embeddings_and_overlays_come_in_json(artnet: Artnet, painting_file: Path, tmp_path: Path) -> None:
    more = ("--views", "all", "--embeddings", "--explain", tmp_path / "why")
    found = json.loads(artnet("classify", painting_file, "--json", *more).out)
    assert len(found["views"]) == 6
    assert len(found["embedding"]) > 100
    assert (tmp_path / "why" / found["overlay"]).is_file()
    assert len(json.loads(artnet("classify", painting_file, "--json", "--all-views").out)["views"]) == 6


def test_other_settings_do_not_resume(artnet: Artnet, painting_file: Path, tmp_path: Path) -> None:
    bad, table = tmp_path / "bad.png", tmp_path / "table.csv"
    bad.write_bytes(b"no picture")
    artnet("classify", painting_file, bad, "--out", table, "--fail-fast")
    done = artnet("classify", painting_file, bad, "--out", table, "--resume", "--embeddings")
    assert done.code == 2
    assert "was begun with embeddings false, now it is true" in done.err


def test_an_index_finds_the_nearest(artnet: Artnet, painting: Image.Image, tmp_path: Path) -> None:
    pytest.importorskip("lancedb", reason="needs pip install '.[similar]'")
    (tmp_path / "all").mkdir()
    for angle in (0, 180):
        painting.rotate(angle).save(tmp_path / "all" / f"{angle}.png")
    painting.rotate(90, expand=True).resize((1600, 1400)).save(tmp_path / "all" / "large.jpg")  # decoded at a quarter
    (tmp_path / "all" / "bad.png").write_bytes(b"no picture")
    made = artnet("index", tmp_path / "all", "--out", tmp_path / "index")
    assert made.code == 1
    assert "3 paintings in" in made.err
    options = ("similar", tmp_path / "all" / "large.jpg", "--index", tmp_path / "index", "--count", 2)
    found = json.loads(artnet(*options, "--json", "--out", tmp_path / "sheet.png").out)
    assert found["nearest"][0]["source"].endswith("large.jpg")
    assert found["nearest"][0]["similarity"] == pytest.approx(1, abs=1e-5)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 500
    assert artnet("index", tmp_path / "all", "--out", tmp_path / "index").code == 7
    assert artnet(*options, "--out", tmp_path / "all" / "large.jpg").code == 2


@pytest.mark.parametrize("damage", ["config.json", GRAPH_FILE])
def test_a_damaged_model_folder_ends_with_the_models_code(
    artnet: Artnet, painting_file: Path, tmp_path: Path, damage: str
) -> None:
    folder = Path(shutil.copytree(default_model(), tmp_path / "model"))
    (folder / damage).write_bytes(b"{}")
    done = artnet("classify", painting_file, "--model", folder)
    assert done.code == 4
    assert done.err.count("\n") == 1
    assert damage in done.err


@pytest.mark.parametrize(
    "arguments",
    [["classify"], ["paint"], ["classify", "--wrong"], ["explain", "x.png", "--depth", "ten"], ["prepare", "only"]],
)
def test_wrong_usage_ends_with_2(artnet: Artnet, arguments: list[str]) -> None:
    done = artnet(*arguments)
    assert done.code == 2
    assert done.err.startswith("artnet: ")
    assert done.out == ""


def test_an_explanation_is_drawn_and_described(artnet: Artnet, painting_file: Path, tmp_path: Path) -> None:
    done = artnet("explain", painting_file, "--movement", "Realism", "--out", tmp_path / "why.png", "--json")
    found = json.loads(done.out)
    assert found["movement"] == "Realism"
    assert len(found["depths"]) == 9
    assert len(found["files"]) == 10
    assert all(Path(name).is_file() for name in found["files"])


def test_questions_methods_and_formats_of_explanations(artnet: Artnet, painting_file: Path, tmp_path: Path) -> None:
    question = ("--movement", "Realism", "--rather-than", "Cubism", "--against", "--method", "hirescam")
    done = artnet("explain", painting_file, *question, "--depth", "7", "--colour", "--out", tmp_path / "why.svg")
    assert done.code == 0
    assert "what speaks for and against Realism rather than Cubism" in done.out
    assert (tmp_path / "why.svg").read_text().startswith("<svg")
    assert artnet("explain", painting_file, "--depth", "2", "--out", tmp_path / "why.npz").code == 0


def test_the_most_faithful_depth_is_said(
    artnet: Artnet, small_model: Path, painting_file: Path, tmp_path: Path
) -> None:
    options = ("--depth", "auto", "--faithfulness", "--model", small_model, "--out", tmp_path / "why.png")
    done = artnet("explain", painting_file, *options)
    assert "faithful" in done.out
    assert "correlation with shuffled weights" in done.out


def test_a_channel_is_shown(artnet: Artnet, exported: Path, painting_file: Path, tmp_path: Path) -> None:
    model = ("--model", exported)
    done = artnet("explain", painting_file, "--channel", "2:3", *model, "--json", "--out", tmp_path / "c.png")
    found = json.loads(done.out)
    assert (found["depth"], found["channel"]) == (2, 3)
    assert Path(found["files"][0]).is_file()
    assert json.loads(artnet("explain", "--channel", "2:3", *model, "--json").out)["channel"] == 3
    assert artnet("explain", *model).code == 2
    assert artnet("explain", painting_file, "--channel", "2:x", *model).code == 2
    assert artnet("explain", painting_file, "--channel", "2:3", "--against", *model).code == 2
    assert artnet("explain", painting_file, "--channel", "2:3", *model, "--out", tmp_path / "c.npz").code == 2


def test_what_if_is_a_sheet_and_sentences(artnet: Artnet, painting_file: Path, tmp_path: Path) -> None:
    done = artnet("explain", painting_file, "--what-if", "--out", tmp_path / "sheet.png")
    assert done.code == 0
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.format == "PNG"
    first, *sentences, last = done.out.splitlines()
    assert first.startswith(str(painting_file))
    assert sentences
    assert last == f"what if: {tmp_path / 'sheet.png'}"
    found = json.loads(artnet("explain", painting_file, "--what-if", "--json").out)
    assert found["files"] == []
    assert all(entry["sentence"] is None or entry["sentence"] in found["sentences"] for entry in found["edits"])


def test_properties_are_printed_and_draw_nothing(artnet: Artnet, painting_file: Path, tmp_path: Path) -> None:
    done = artnet("explain", painting_file, "--properties")
    assert done.code == 0
    assert len(done.out.splitlines()) == 12
    found = json.loads(artnet("explain", painting_file, "--properties", "--json").out)
    assert {each["name"]: each["value"] for each in found["properties"]}["lightness"] > 50
    assert artnet("explain", painting_file, "--properties", "--out", tmp_path / "a.png").code == 2
    assert artnet("explain", painting_file, "--properties", "--what-if").code == 2
    assert artnet("explain", painting_file, "--what-if", "--rather-than", "Cubism").code == 2


def test_an_explanation_goes_beside_you_without_out(
    artnet: Artnet, painting_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert artnet("explain", painting_file, "--depth", "9").code == 0
    assert (tmp_path / "painting-explained.png").is_file()


def test_a_question_that_cannot_be_meant_ends_with_2(artnet: Artnet, painting_file: Path) -> None:
    done = artnet("explain", painting_file, "--movement", "Dada")
    assert done.code == 2
    assert "this model knows Cubism" in done.err


def test_info_describes_the_model(artnet: Artnet) -> None:
    assert "Cubism" in artnet("info").out
    assert json.loads(artnet("info", "--json").out)["taxonomy"] == "artnet-2026"


def test_version_and_help_are_printed(artnet: Artnet) -> None:
    assert artnet("--version").out == "0.1.0\n"
    shown = artnet("--help")
    assert shown.code == 0
    assert "classify" in shown.out


def test_an_interrupt_is_no_traceback(artnet: Artnet, painting_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Classifier, "load", interrupted)
    done = artnet("classify", painting_file)
    assert done.code == 130
    assert done.err == "artnet: interrupted\n"


def test_evaluate_compares_and_measures_ood_images_and_warns(
    artnet: Artnet, exported: Path, data: Path, painting_file: Path, tmp_path: Path
) -> None:
    options = ["--against", exported, "--ood", painting_file.parent, "--split", "train", "--no-images"]
    found = artnet("evaluate", data, "--model", exported, *options, "--out", tmp_path / "report")
    assert found.code == 0
    assert "AUROC" in found.out
    assert "+0.000 accuracy, p = 1 (McNemar)" in found.out
    assert "artnet: warning: These are paintings of the train split" in found.err
    assert {path.suffix for path in (tmp_path / "report").iterdir()} == {".json", ".html", ".csv"}


def test_margins_are_left_out_and_kept_on_request(artnet: Artnet, tmp_path: Path) -> None:
    image = framed(textured(300, 240), 60, 30, 40, 30)
    image.save(tmp_path / "framed.png")
    trimmed = json.loads(artnet("classify", tmp_path / "framed.png", "--json").out)
    kept = json.loads(artnet("classify", tmp_path / "framed.png", "--json", "--no-trim").out)
    assert trimmed["views"][0]["box"] == [60, 30, 360, 270]
    assert kept["views"][0]["box"] == [0, 0, 400, 300]
    explained = artnet("explain", tmp_path / "framed.png", "--depth", "9", "--out", tmp_path / "why.png")
    assert "the margins around the painting were left out; --no-trim keeps them" in explained.out
