"""Characters that look like a Latin letter and that NFKD leaves as they are.

Chosen from what is seen in the wild, not Unicode's whole table of look-alikes (UTS 39), which also takes `rn` for `m`.
Russian and Greek become gibberish by it, which costs nothing: the lists are English.
"""

_ALIKE = {
    "a": "аɑαᴀ", "ae": "æӕ", "b": "ьвƅʙᏏβ", "c": "сϲᴄ¢ɔ", "d": "ԁɗđðᴅ", "e": "єеəɛ℮ᴇҽ€", "f": "ƒꜰ", "g": "ɡɢԍ", "h": "һнհʜħ",
    "i": "іιıɩӏɪᎥ", "j": "јϳᴊ", "k": "кκᴋҡ", "l": "ʟłⵏ", "m": "мᴍʍ", "n": "ոпηɴռ", "o": "оοօσøᴏ", "oe": "œ", "p": "рρᴘ", "q": "ԛզ",
    "r": "гʀɾя", "s": "ѕꜱʂƽ", "t": "тτᴛŧ", "th": "þ", "u": "սυᴜц", "v": "ѵνᴠ", "w": "ԝωшѡᴡщ", "x": "хχ×", "y": "уγʏყ", "z": "ᴢʐƶ",
}  # fmt: skip
_BLOCKS = ((0x1F150, 26), (0x1F170, 26), (0x1F1E6, 26))  # letters in black circles, in black squares, of flags

CONFUSABLES = {sign: letter for letter, signs in _ALIKE.items() for sign in signs}
CONFUSABLES |= {chr(first + number): chr(ord("a") + number) for first, size in _BLOCKS for number in range(size)}
