from components.ingest.play import scenes

PLAY = """# A Play

## ACT I~~

### SCENE I. A street.

_Enter ANNA, & c_

**Anna**~~
_\\[Aside]_~~
Soft you, 'a word,'\\--so it goes;~~
I will not __\\[ ]_


**Both**~~
Exeunt.

#### SCENE II. The same.

*[He draws.]*

## ACT II

Alone.

# EPILOGUE

**ALL**~~
Good night.
""".replace("~~", "  ")  # markdown's line break, which an editor would take away


def test_scenes_are_plain_text() -> None:
    found = list(scenes(PLAY))
    assert [s.heading for s in found] == ["ACT I, SCENE I. A street.", "ACT I, SCENE II. The same.", "ACT II", "ACT II, EPILOGUE"]
    assert found[0].text == ("Enter ANNA, &c\n\nANNA\n[Aside]\nSoft you, 'a word,'--so it goes;\nI will not\n\nBOTH\nExeunt.\n")
    assert found[1].text == "[He draws.]\n"
    assert found[3].text == "ALL\nGood night.\n"
