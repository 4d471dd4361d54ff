"""Characters that look like a Latin letter and that NFKD does not change.

The table holds characters that are used in practice, not the whole confusables table of Unicode (UTS 39), which also maps `rn` to `m`.
It makes Russian and Greek text unreadable, which does no harm: the word lists are English.
"""

_ALIKE = {
    "a": "аɑαᴀ", "ae": "æӕ", "b": "ьвƅʙᏏβ", "c": "сϲᴄ¢ɔ", "d": "ԁɗđðᴅ", "e": "єеəɛ℮ᴇҽ€", "f": "ƒꜰ", "g": "ɡɢԍ", "h": "һнհʜħ",
    "i": "іιıɩӏɪᎥ", "j": "јϳᴊ", "k": "кκᴋҡ", "l": "ʟłⵏ", "m": "мᴍʍ", "n": "ոпηɴռ", "o": "оοօσøᴏ", "oe": "œ", "p": "рρᴘ", "q": "ԛզ",
    "r": "гʀɾя", "s": "ѕꜱʂƽ", "t": "тτᴛŧ", "th": "þ", "u": "սυᴜц", "v": "ѵνᴠ", "w": "ԝωшѡᴡщ", "x": "хχ×", "y": "уγʏყ", "z": "ᴢʐƶ",
}  # fmt: skip
_BLOCKS = ((0x1F150, 26), (0x1F170, 26), (0x1F1E6, 26))  # negative circled letters, negative squared letters, regional indicators

CONFUSABLES = {sign: letter for letter, signs in _ALIKE.items() for sign in signs}
CONFUSABLES |= {chr(first + number): chr(ord("a") + number) for first, size in _BLOCKS for number in range(size)}
