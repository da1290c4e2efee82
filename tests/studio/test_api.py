"""The HTTP API: as documented, by gradio's client and by plain HTTP; and what it must not do."""

import http.client
import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from PIL import Image

from tests.studio.conftest import ROOT


def ask(url, body=None, method=None, headers=()):
    """Status and content of an answer."""
    content = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(
        url, content, {"Content-Type": "application/json", **dict(headers)}, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def call(studio, name, data):
    """What an endpoint answers, as curl would ask it: the last event."""
    _, content = ask(f"{studio.url}/gradio_api/call/{name}", {"data": data})
    event = json.loads(content)["event_id"]
    return ask(f"{studio.url}/gradio_api/call/{name}/{event}")[1]


def test_by_gradios_client(studio, photo):
    from gradio_client import Client, handle_file

    client = Client(studio.url, verbose=False)
    facts = client.predict(handle_file(photo), api_name="/look")
    assert facts["size"] == [96, 96] and facts["noise"] > 0.05

    words = "task=denoise sigma_y=0.08 steps=2 format=tif"
    file, report = client.predict(handle_file(photo), words, None, api_name="/restore")
    assert json.loads(Path(report).read_text())["nfe"] == 2
    with Image.open(file) as restored:
        assert (restored.format, restored.size) == ("TIFF", (96, 96))

    archive, photos = client.predict([handle_file(photo)], words, api_name="/batch")
    assert Path(archive).suffix == ".zip"
    assert photos["noisy"]["state"] == "done"

    with pytest.raises(Exception, match="is not for the studio"):
        client.predict(handle_file(photo), "task=custom", None, api_name="/restore")


@pytest.mark.parametrize("language", ["py", "bash"])
def test_the_examples_of_the_documentation(studio, photo, tmp_path, language):
    pytest.importorskip("gradio_client")
    text = (ROOT / "docs" / "studio.md").read_text(encoding="utf-8")
    [example] = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    example = example.replace("http://127.0.0.1:7860", studio.url)
    with Image.open(photo) as picture:
        picture.save(tmp_path / "photo.jpg", quality=95)
    if language == "py":
        example += "\nprint(file)"
    command = {"py": [sys.executable, "-c"], "bash": ["bash", "-c"]}[language]
    done = subprocess.run(
        [*command, example], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "photo.png" in done.stdout, done


def test_nothing_stays_of_a_call(studio):
    assert list((studio.state / "state" / "sessions").rglob("noisy.tif")) == []


@pytest.mark.parametrize("path", ["/etc/passwd", "../../../etc/passwd", str(Path(__file__))])
def test_no_path_of_the_server_is_read(studio, path):
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}
    for name, data in (("look", [file]), ("restore", [file, "", None]), ("batch", [[file], ""])):
        answer = call(studio, name, data)
        assert "event: error" in answer and "root:" not in answer, answer
    status, content = ask(f"{studio.url}/gradio_api/file={path}")
    assert status in (403, 404) and "root:" not in content


@pytest.mark.parametrize(
    "path",
    [
        "/studio/{job}/file/..%2f..%2f..%2fjob.json",
        "/studio/{job}/file/../../job.json",
        "/studio/{job}/after/..%2f..%2fin%2fnoisy",
        "/studio/{job}/preview/%2fetc%2fpasswd",
        "/studio/..%2f..%2f/file/x",
        "/studio/{job}/job.json",
        "/studio/{job}/in/noisy.png",
        "/gradio_api/file=/proc/self/environ",
    ],
)
def test_no_path_leads_out(studio, path):
    connection = http.client.HTTPConnection("127.0.0.1", studio.port)
    connection.request("GET", path.format(job="0" * 32))
    answer = connection.getresponse()
    assert answer.status in (403, 404, 405)
    assert b"fingerprint" not in answer.read()


def test_settings_that_run_code_are_refused(studio, photo):
    from gradio_client import Client, handle_file

    client = Client(studio.url, verbose=False)
    for words in ("operator._target_=os.system", "prior.path=/etc/passwd", "mask=/etc/passwd"):
        with pytest.raises(Exception, match="studio"):
            client.predict(handle_file(photo), words, None, api_name="/restore")


def test_other_names_of_this_machine_are_refused(studio):
    assert ask(studio.url, headers=[("Host", "evil.example")])[0] == 403
    assert ask(f"{studio.url}/gradio_api/info", headers=[("Host", "evil.example")])[0] == 403
