import pytest

from orchestrate.install import userfile
from state.errors import UserError


def test_a_write_that_fails_leaves_the_old_file_and_no_draft(tmp_path):
    path = tmp_path / "folder/taken"
    (path / "inside").mkdir(parents=True)
    with pytest.raises(UserError, match=f"cannot write {path}: "):
        userfile.put(path, b"new")
    assert [found.name for found in path.parent.rglob("*")] == ["taken", "inside"]


def test_a_folder_below_a_file_is_said_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="a file stands where a folder is needed"):
        userfile.make_folders(tmp_path / "file/below")


def test_what_cannot_be_removed_is_said_in_one_line(tmp_path):
    with pytest.raises(UserError, match=f"cannot remove {tmp_path}: "):
        userfile.remove(tmp_path)


def test_a_new_file_has_the_mode_that_the_user_s_umask_gives(tmp_path):
    plain = tmp_path / "plain"
    plain.touch()
    userfile.put(tmp_path / "ours", b"")
    assert (tmp_path / "ours").stat().st_mode == plain.stat().st_mode


def test_missing_folders_are_named_outermost_first(tmp_path):
    assert userfile.missing_folders(tmp_path / "a/b") == [str(tmp_path / "a"), str(tmp_path / "a/b")]
    assert userfile.missing_folders(tmp_path) == []
