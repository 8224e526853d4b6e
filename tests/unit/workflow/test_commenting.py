"""One comment for each key, on both forges; whose comments count; the digest that was reviewed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from ci_endpoints import BOT, TOKEN, Forge, User
from hypothesis import given
from hypothesis import strategies as st

from qase_iac.errors import QaseIacError, SafetyRefusal
from qase_iac.workflow.commenting import LIMIT, Mark, approved_digest, write_comment
from qase_iac.workflow.forges import forge_for

HEAD, MERGE, OTHER = "a" * 40, "b" * 40, "c" * 40
DIGEST = "sha256:" + "1" * 64
SECOND = "sha256:" + "2" * 64


class Job:
    """A job of one forge, on a request or on what its merge made."""

    def __init__(self, forge: Forge, name: str, folder: Path) -> None:
        self.forge, self.name, self.folder = forge, name, folder
        self.slept: list[float] = []
        self.environment: dict[str, str] = {}
        forge.add_pull(7, HEAD)

    def of_request(self, fork: bool = False) -> Job:
        home = "somebody/shop" if fork else self.forge.repository
        event = self.folder / "event.json"
        event.write_text(
            json.dumps({"pull_request": {"number": 7, "head": {"sha": HEAD, "repo": {"full_name": home}}}})
        )
        hub = {"GITHUB_EVENT_PATH": str(event), "GITHUB_SHA": "d" * 40}
        lab = {"CI_MERGE_REQUEST_IID": "7", "CI_COMMIT_SHA": HEAD,
               "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "99" if fork else self.forge.project}  # fmt: skip
        return self._with(hub, lab)

    def of_commit(self, commit: str = MERGE) -> Job:
        return self._with({"GITHUB_SHA": commit}, {"CI_COMMIT_SHA": commit})

    def _with(self, hub: dict[str, str], lab: dict[str, str]) -> Job:
        forge = self.forge
        self.environment = {
            "github": {
                "GITHUB_REPOSITORY": forge.repository,
                "GITHUB_API_URL": forge.url,
                "GITHUB_TOKEN": TOKEN,
                **hub,
            },
            "gitlab": {
                "CI_API_V4_URL": forge.gitlab,
                "CI_PROJECT_ID": forge.project,
                "QASE_IAC_GITLAB_TOKEN": TOKEN,
                **lab,
            },
        }[self.name]
        return self

    def write(self, text: str = "The plan.", key: str = "plan", digest: str = DIGEST, only_edit: bool = False) -> None:
        forge = forge_for(self.environment, self.slept.append)
        write_comment(forge, key, text, self.environment, digest, only_edit)

    def read(self, key: str = "plan") -> str:
        return approved_digest(forge_for(self.environment, self.slept.append), key)


@pytest.fixture
def forge() -> Iterator[Forge]:
    with Forge() as made:
        yield made


@pytest.fixture(params=["github", "gitlab"])
def job(request: pytest.FixtureRequest, forge: Forge, tmp_path: Path) -> Job:
    return Job(forge, request.param, tmp_path).of_request()


@pytest.fixture
def github(forge: Forge, tmp_path: Path) -> Job:
    return Job(forge, "github", tmp_path).of_request()


# -- one comment


def test_the_second_plan_edits_the_comment_of_the_first(job: Job) -> None:
    job.write("First.", digest=DIGEST)
    job.write("Second.", digest=SECOND)
    [body] = job.forge.on(7)
    assert "Second." in body and "First." not in body
    assert Mark.of(body) == Mark("plan", SECOND, HEAD)
    assert job.forge.comments[0]["edits"] == 1


def test_each_key_has_its_own_comment(job: Job) -> None:
    for text in ("one", "two"):
        job.write(text, "plan:web")
        job.write(text, "plan:api")
    assert [Mark.of(body).key for body in job.forge.on(7)] == ["plan:web", "plan:api"]  # type: ignore[union-attr]
    assert all("two" in body for body in job.forge.on(7))


def test_ours_is_found_behind_many_others(job: Job) -> None:
    job.forge.page_max = 2
    for number in range(5):
        job.forge.add_comment(7, f"Nice {number}", "ann")
    job.write("First.")
    job.forge.add_comment(7, "Thanks", "ann")
    job.write("Second.")
    assert len(job.forge.on(7)) == 1


def test_the_comment_says_which_commit_and_which_job(github: Job) -> None:
    github.environment |= {"GITHUB_SERVER_URL": "https://forge.example", "GITHUB_RUN_ID": "5"}
    github.write()
    assert github.forge.on(7)[0].endswith(
        f"<sub>For commit {HEAD[:12]} · [the job](https://forge.example/acme/shop/actions/runs/5)</sub>\n"
    )


def test_only_edit_writes_no_new_comment(job: Job) -> None:
    job.write("Applied.", only_edit=True)
    assert not job.forge.comments
    job.write("Failed.")
    job.write("Applied.", only_edit=True)
    assert "Applied." in job.forge.on(7)[0]


def test_after_the_merge_the_request_is_found_by_the_commit(job: Job) -> None:
    job.forge.add_pull(7, HEAD, MERGE)
    job.of_commit().write("Failed.", "apply")
    assert "Failed." in job.forge.on(7)[0]


# -- whose comments count


def test_what_somebody_else_wrote_is_neither_edited_nor_read(job: Job) -> None:
    forged = f"{Mark('plan', SECOND, HEAD)}\nApprove this!"
    job.forge.add_comment(7, forged, "mallory")
    job.write("Real.")
    assert job.forge.comments[0]["body"] == forged
    job.forge.add_pull(7, HEAD, MERGE)
    assert job.of_commit().read() == DIGEST


def test_without_a_comment_of_ours_a_forged_one_approves_nothing(job: Job) -> None:
    job.forge.add_comment(7, f"{Mark('plan', SECOND, HEAD)}\nApprove this!", "mallory")
    job.forge.add_pull(7, HEAD, MERGE)
    with pytest.raises(QaseIacError, match="no comment of ours"):
        job.of_commit().read()


def test_a_mark_that_is_quoted_further_down_is_none(job: Job) -> None:
    job.write(f"Title:\n{Mark('plan', SECOND, HEAD)}\n", key="apply", digest="")
    job.write("Real.")
    assert len(job.forge.on(7)) == 2
    job.forge.add_pull(7, HEAD, MERGE)
    assert job.of_commit().read() == DIGEST


def test_a_personal_token_edits_its_own_comments(github: Job) -> None:
    github.forge.users["pat"] = User("ann", app=False)
    github.environment["GITHUB_TOKEN"] = "pat"
    github.forge.add_comment(7, f"{Mark('plan', SECOND, HEAD)}\nThe bot's.", BOT)
    github.write("One.")
    github.write("Two.")
    assert len(github.forge.on(7, "ann")) == len(github.forge.on(7, BOT)) == 1


@given(st.text(), st.text(alphabet="0123456789abcdef"))
def test_no_key_ends_the_mark(key: str, head: str) -> None:
    mark = Mark(key or "-", DIGEST, head)
    text = str(mark)
    assert text.endswith(" -->") and text.count("-->") == 1 and "\n" not in text
    assert Mark.of(f"{text}\nmore") == mark


# -- the digest that was reviewed


def test_the_digest_of_the_merged_request_is_read_back(job: Job) -> None:
    job.write()
    job.forge.add_pull(7, HEAD, MERGE)
    assert job.of_commit().read() == DIGEST


@pytest.mark.parametrize("job", ["gitlab"], indirect=True)
def test_a_fast_forward_is_found_by_the_branch_s_own_commit(job: Job) -> None:
    job.write()
    job.forge.add_pull(7, HEAD, MERGE)
    assert job.of_commit(HEAD).read() == DIGEST


def test_a_plan_of_an_earlier_push_approves_nothing(job: Job) -> None:
    job.write()
    job.forge.add_pull(7, OTHER, MERGE)
    with pytest.raises(QaseIacError, match=rf"plan in request 7 is of commit {HEAD[:12]}, but {OTHER[:12]} was merged"):
        job.of_commit().read()


def test_a_comment_without_a_plan_approves_nothing(job: Job) -> None:
    job.write("The files are invalid.", digest="")
    job.forge.add_pull(7, HEAD, MERGE)
    with pytest.raises(QaseIacError, match="shows no plan"):
        job.of_commit().read()


def test_a_request_that_is_not_merged_approves_nothing(job: Job) -> None:
    job.write()
    with pytest.raises(QaseIacError, match="no pull or merge request"):
        job.of_commit(HEAD).read()


def test_a_commit_that_no_request_made_has_none(job: Job) -> None:
    for call in (job.of_commit(OTHER).read, job.of_commit(OTHER).write):
        with pytest.raises(QaseIacError, match="no pull or merge request"):
            call()


def test_an_event_that_cannot_be_read_tells_nothing(github: Job) -> None:
    for text in ("", "[1]", "{"):
        Path(github.environment["GITHUB_EVENT_PATH"]).write_text(text)
        with pytest.raises(QaseIacError, match="no pull or merge request"):
            github.write()


# -- refusals


def test_a_token_that_may_not_write_is_told_what_it_lacks(job: Job) -> None:
    job.forge.users[TOKEN].writes = False
    with pytest.raises(QaseIacError, match="does not let this token write") as caught:
        job.write()
    wanted = {"github": "pull-requests: write", "gitlab": "scope api"}[job.name]
    assert wanted in caught.value.hint
    assert "Resource not accessible" in caught.value.detail
    assert TOKEN not in str(vars(caught.value))


def test_a_fork_s_token_can_only_read(job: Job) -> None:
    job.forge.users[TOKEN].writes = False
    with pytest.raises(QaseIacError, match="from a fork"):
        job.of_request(fork=True).write()


def test_a_request_that_the_token_does_not_see(job: Job) -> None:
    job.forge.users[TOKEN].reads = False
    with pytest.raises(QaseIacError, match="does not show"):
        job.write()


def test_a_wrong_token(job: Job) -> None:
    job.forge.users.clear()
    with pytest.raises(QaseIacError, match="refused the token") as caught:
        job.write()
    assert TOKEN not in str(vars(caught.value))


def test_what_is_too_long_is_refused_and_what_just_fits_is_taken(job: Job) -> None:
    job.write("x")
    room = LIMIT - len(job.forge.on(7)[0]) + 1
    job.write("x" * room)
    assert len(job.forge.on(7)[0]) == LIMIT
    with pytest.raises(QaseIacError, match="too long"):
        job.write("x" * (room + 1))


def test_outside_of_a_job_and_without_a_token(github: Job) -> None:
    with pytest.raises(QaseIacError, match="no job of GitHub Actions or GitLab"):
        forge_for({}, github.slept.append)
    for known, name in (("GITHUB_REPOSITORY", "GITHUB_TOKEN"), ("CI_API_V4_URL", "QASE_IAC_GITLAB_TOKEN")):
        with pytest.raises(QaseIacError, match=f"{name} is not set"):
            forge_for({known: "x"}, github.slept.append)


@pytest.mark.parametrize(
    "url", ["http://forge.example/api", "ftp://127.0.0.1", "https://ann:pw@forge.example", "forge"]
)
def test_the_token_goes_over_https_or_to_this_machine_only(job: Job, url: str) -> None:
    with pytest.raises(SafetyRefusal, match="token is not sent") as caught:
        forge_for({**job.environment, "GITHUB_API_URL": url, "CI_API_V4_URL": url}, job.slept.append)
    assert caught.value.exit_code == 4


def test_a_redirect_is_not_followed(job: Job) -> None:
    with Forge() as elsewhere:
        job.forge.faults += [(302, "", {"Location": f"{elsewhere.url}/user"})] * 2
        with pytest.raises(QaseIacError):
            job.write()
        assert not elsewhere.asked


# -- a forge that is busy


@pytest.mark.parametrize(
    ("answer", "waited"),
    [((503, "busy", {}), 2.0), ((429, {}, {"Retry-After": "7"}), 7.0), ((429, {}, {"Retry-After": "9999"}), 60.0)],
)
def test_reading_is_tried_again(job: Job, answer: tuple[int, object, dict[str, str]], waited: float) -> None:
    job.forge.faults.append(answer)
    job.write()
    assert job.slept == [waited]
    assert len(job.forge.on(7)) == 1


def test_a_rate_limit_that_github_says_by_403(github: Job) -> None:
    github.forge.faults.append((403, {"message": "secondary rate limit"}, {"Retry-After": "3"}))
    github.write()
    assert github.slept == [3.0]


def test_a_forge_that_stays_busy(job: Job) -> None:
    job.forge.faults += [(503, {"message": "busy"}, {})] * 4
    with pytest.raises(QaseIacError, match="does not say whose token") as caught:
        job.write()
    assert caught.value.detail == "503 busy"
    assert job.slept == [2.0, 4.0, 8.0]


def test_a_comment_whose_answer_was_lost_is_not_written_twice(job: Job) -> None:
    job.forge.lost.append((502, "<html>", {}))
    job.write()
    assert len(job.forge.on(7)) == 1


def test_a_comment_that_was_not_written_is_written(job: Job) -> None:
    job.forge.broken.append((500, {"message": "oops"}, {}))
    job.write()
    assert len(job.forge.on(7)) == 1


def test_a_comment_that_is_refused_twice_is_given_up(job: Job) -> None:
    job.forge.broken += [(500, {"message": "oops"}, {})] * 2
    with pytest.raises(QaseIacError, match="did not take the comment"):
        job.write()


@pytest.mark.parametrize("answer", ["<html>sign in</html>", "[]", '{"a": 1}', "[1]", '[{"body": "x"}]', "null"])
@pytest.mark.parametrize("before", [0, 1])
def test_an_answer_of_another_shape(job: Job, answer: str, before: int) -> None:
    """Of who it is, or with the comments."""
    job.forge.faults += [(200, {"login": BOT, "username": BOT}, {})] * before + [(200, answer, {})]
    if before and answer == "[]":  # no comments: nothing is wrong with that
        job.write()
        return
    with pytest.raises(QaseIacError, match="something else than it documents"):
        job.write()


def test_a_forge_that_is_not_there(job: Job) -> None:
    job.forge.close()
    with pytest.raises(QaseIacError, match=r"127\.0\.0\.1:\d+.* gave no answer"):
        job.write()
    assert job.slept == [2.0, 4.0, 8.0]
