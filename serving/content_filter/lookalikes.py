"""Tables of characters that look like Latin letters, and of letters that are turned upside down.

Sources:
- Unicode's confusables (UTS 39, Unicode 15.1, through the package confusable-homoglyphs 3.3.1): single characters that are confusable with
  one Latin letter. Left out: combining marks, digits, and characters that get the same letter from NFKD and case folding.
- Our own table: alphabets that generators of "fancy text" use. It takes precedence. Its letters are similar, but often not confusable.

Russian, Greek, Hebrew, Thai and Chinese text becomes unreadable. This does no harm: the word lists are English, and the folded text is
only searched, never passed on.
"""

_UNICODE = {
    "a": "ᗅ⍺ꓮ𐊠𖽀", "b": "ᏴᑲᖯᗷꓐꞴ𐊂𐊡𐌁", "c": "ϹᏟⲥꓚ𐊢𐌂𐐽𐔜𑣲🝌", "d": "ᎠᏧᑯᗞᗪꓒꓓ", "e": "ΕᎬ⋿ⴹꓰꬲ𐊆𑢦𑢮𝚬𝛦𝜠𝝚𝞔", "f": "քᖴꓝꞙꬵ𐊇𐊥𐔥𑣂𝈓", "g": "ƍցᏀᏳᶃꓖ",
    "h": "ΗᎻᕼⲎꓧ𐋏𝚮𝛨𝜢𝝜𝞖", "i": "⍳Ⲓꙇ𐊊𐌉𐌠𑣃𖼨", "j": "Ꭻᒍꓙ", "k": "ᛕⲔꓗ𐔘", "l": "ᏞᒪⳐꓡ𐐛𐔦𑢣𑢲𖼖𝈪", "m": "ΜϺᎷᗰᛖⲘꓟ𐊰𐌑𝚳𝛭𝜧𝝡𝞛", "n": "ΝⲚꓠ𐔓𝚴𝛮𝜨𝝢𝞜",
    "o": "ଠഠဝჿዐᴑⲟⵔ〇ꓳꬽ𐊒𐊫𐐬𐓪𐔖𑢵𑣈𑣗", "p": "Ꮲᑭ⍴ⲣꓑ𐊕", "q": "գⵕ", "r": "Ꭱᖇᴦⲅꓣꭇꭈꮁ𐒴𖼵𝈖", "s": "ՏᏚꓢ𐊖𐑈𑣁𖼺", "t": "Ꭲ⊤⟙Ⲧꓔ𐊗𐊱𐌕𑢼𖼊🝨", "u": "ʋሀᑌ∪⋃ꓴꞟꭎꭒ𐓶𑣘𖽂",
    "v": "Ꮩᐯ∨⋁ⴸꓦꛟ𐔝𑜆𑣀𖼈𝈍", "w": "աᎳᏔꓪ𑜊𑜎𑜏𑣯", "x": "ᕁᕽ᙭᙮ᚷ╳⤫⤬⨯ⲬⵝꓫꞳ𐊐𐊴𐌗𐌢𐔧𑣬", "y": "ɣΥϒᎽᶌỿⲨꓬꭚ𐊲𑢤𑣜𖽃𝚼𝛶𝜰𝝪𝞤", "z": "Ꮓꓜ𐋵𑢩𑣄",
}  # fmt: skip
_FANCY = {
    "a": "аɑαᴀʌɐλΔдᗩᎪᎯᏗ₳ค卂∀", "ae": "æӕ", "b": "ьвƅʙᏏβъƀ฿ɓც๒乃ᗺ", "c": "сϲᴄ¢ɔςȼƈ₵ᑕᏨ匚ፈ", "d": "ԁɗđðᴅδɖ₫๔ᗡᎴ", "e": "єеεəɛ℮ᴇҽ€ǝɘэзΣξɇɜᏋ乇ᗴ",
    "f": "ƒꜰɟϝғ₣ʄᎦ千", "g": "ɡɢԍǥɠ₲ﻮᎶ⅁", "h": "һнհʜħћђңɦɧⱨᏂ卄ɥ", "i": "іιıɩӏɪᎥɨᴉเ丨Ⅰꓲᛁ", "j": "јϳᴊʝɉᏠﾌ", "k": "кκᴋҡқҟҝƙꝁ₭ʞᏦ",
    "l": "ʟłⵏɭⱡƚʅןꞁլᏝㄥ", "m": "мᴍɱ₥๓爪", "n": "ոпηɴռийлπŋɳɲ₦ภᑎᏁ几", "o": "оοօσøᴏөѳфφθ๏Ꭷㄖ", "oe": "œ", "p": "рρᴘƥ₱ᵽקᎮ卩℘", "q": "ԛզʠꝗᑫᎤɋ",
    "r": "гʀɾяɹɍɽґཞᏒ尺ᴚ", "s": "ѕꜱʂƽƨ§₴รᏕᔕ丂", "t": "тτᴛŧʇƭ₮ɬᏖㄒ†⊥", "th": "þ", "u": "սυᴜцμʉยᏬㄩ∩", "v": "ѵνᴠשᏉ", "w": "ԝωшѡᴡщʍɯψ₩ฬᗯᏇ山",
    "x": "хχ×жҳӿאጀ乂", "y": "уγʏყʎ¥ɏүұץᎩㄚ", "z": "ᴢʐƶⱬȥʑζፚᘔ乙",
}  # fmt: skip
_CAPITALS = {"Η": "h", "Ν": "n", "Ρ": "p", "Υ": "y", "Μ": "m", "Ս": "u", "Տ": "s", "∣": "|", "ǀ": "|", "⏽": "|", "￨": "|"}
_BLOCKS = ((0x1F150, 26), (0x1F170, 26), (0x1F1E6, 26))  # negative circled letters, negative squared letters, regional indicators

LOOKALIKES = {character: letters for table in (_UNICODE, _FANCY) for letters, characters in table.items() for character in characters}
LOOKALIKES |= _CAPITALS
LOOKALIKES |= {chr(first + number): chr(ord("a") + number) for first, size in _BLOCKS for number in range(size)}

_TURNED_ONLY = {
    "ɐ": "a", "ɔ": "c", "Ɔ": "c", "ǝ": "e", "Ǝ": "e", "ɟ": "f", "Ⅎ": "f", "ƃ": "g", "ᵷ": "g", "⅁": "g", "ɥ": "h", "ᴉ": "i", "ɾ": "j",
    "ʞ": "k", "⋊": "k", "ʅ": "l", "ꞁ": "l", "˥": "l", "ɯ": "m", "Ɯ": "m", "ɹ": "r", "ᴚ": "r", "ꓤ": "r",
    "ʇ": "t", "⊥": "t", "ꓕ": "t", "∩": "u", "ʌ": "v",
    "ʍ": "w", "ʎ": "y", "⅄": "y", "∀": "a", "ᗺ": "b", "ᗡ": "d", "ꓘ": "k", "ꓶ": "l", "ꓵ": "u",
}  # fmt: skip
# Plain letters that are other letters when turned. They count only in a text that also has a letter of `_TURNED_ONLY`.
_TURNED_TOO = {"b": "q", "q": "b", "d": "p", "p": "d", "n": "u", "u": "n", "ı": "i", "ן": "l", "Ԁ": "p", "Λ": "v", "M": "w", "W": "m"}
TURNED = str.maketrans(_TURNED_ONLY | _TURNED_TOO)
TURNED_LETTERS = frozenset(_TURNED_ONLY)
