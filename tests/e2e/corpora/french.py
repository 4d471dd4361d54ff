"""Made prose in French. No locked package contains real French prose, so a grammar writes it.

A story is a sequence of paragraphs about a few things that return, so that a model can learn more than the order of words.
"""

import random
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Grammar:
    """Words and patterns of a language.

    Attributes:
        articles: definite and indefinite article, masculine and feminine.
        nouns: masculine and feminine.
        adjectives: masculine and feminine form, separated by `/`; one form if they are equal.
        transitive, intransitive: verbs in the third person singular of a past tense.
        times, prepositions: adverbs of time that begin a sentence; prepositions of place.
        plural_articles: as `articles`.
        no_plural: endings of nouns and adjectives whose plural is not made by adding `s`; they stay in the singular.
        patterns: sentences; the braces name a part. A noun behind a verb, a preposition or `de` may be in the plural.
    """

    articles: tuple[tuple[str, str], tuple[str, str]]
    plural_articles: tuple[tuple[str, str], tuple[str, str]]
    no_plural: tuple[str, ...]
    nouns: tuple[list[str], list[str]]
    adjectives: list[str]
    transitive: list[str]
    intransitive: list[str]
    times: list[str]
    prepositions: list[str]
    patterns: list[str]
    contractions: tuple[tuple[str, str], ...]

    def story(self, name: str, paragraphs: int) -> str:
        """Return the story of that name; the same name gives the same story."""
        dice = random.Random(name)
        cast = [self._noun(dice) for _ in range(8)]
        return "\n\n".join(" ".join(self._sentence(dice, cast) for _ in range(dice.randint(3, 6))) for _ in range(paragraphs)) + "\n"

    def _noun(self, dice: random.Random) -> tuple[int, str]:
        gender = dice.randrange(2)
        return gender, dice.choice(self.nouns[gender])

    def _phrase(self, dice: random.Random, cast: list[tuple[int, str]], plural: bool) -> str:
        gender, noun = dice.choice(cast) if dice.random() < 0.15 else self._noun(dice)
        words = [noun] if dice.random() < 0.55 else [noun, dice.choice(self.adjectives).split("/")[-gender]]
        articles = self.articles
        if plural and not any(word.endswith(self.no_plural) for word in words):
            words, articles = [f"{word}s" for word in words], self.plural_articles
        return " ".join([articles[dice.random() < 0.25][gender], *words])

    def _sentence(self, dice: random.Random, cast: list[tuple[int, str]]) -> str:
        def part(match: re.Match[str]) -> str:
            if match[1] in ("noun", "object"):
                return self._phrase(dice, cast, match[1] == "object" and dice.random() < 0.5)
            words: list[str] = getattr(self, match[1])
            return dice.choice(words).split("/")[0]

        pattern = re.sub(r"(\{transitive\}|\{prepositions\}|\bde) \{noun\}", r"\1 {object}", dice.choice(self.patterns))
        sentence = re.sub(r"\{(\w+)\}", part, pattern)
        for words, contraction in self.contractions:
            sentence = re.sub(words, contraction, sentence)
        return sentence[0].upper() + sentence[1:]


FRENCH = Grammar(
    articles=(("le", "la"), ("un", "une")),
    plural_articles=(("les", "les"), ("des", "des")),
    no_plural=("s", "x", "z", "au", "eu", "ou", "al", "ail"),
    nouns=(
        "arbre bateau berger bois boulanger café capitaine carnet chat château chemin chien ciel cheval clocher coffre cordonnier désert "
        "enfant escalier été facteur fantôme fleuve forgeron fusil hiver jardin juge lac livre loup maître marchand marin matin médecin miroir "
        "moulin musicien navire nuage oiseau ouvrier pain peintre père phare poète pont port puits quai rêve roi secret silence soldat soleil "
        "soir tailleur tambour théâtre toit train vent village voisin voleur voyageur".split(),
        "abeille aube auberge barque bougie boutique chanson chambre cloche colline cour couronne cuisine dame église école étoile faim femme "
        "fenêtre fête feuille fille fleur foire fontaine forêt fumée gare guerre guitare herbe histoire horloge île lampe légende lettre lune "
        "lumière main maison mer mère moisson montagne neige nuit ombre orange parole peur place plage pierre pluie porte promesse reine "
        "rivière robe rose rue tempête terre tour vague veuve ville voix".split(),
    ),
    adjectives=(
        "ancien/ancienne bleu/bleue blanc/blanche calme clair/claire court/courte doux/douce endormi/endormie énorme étrange fatigué/fatiguée "
        "fidèle fier/fière fragile froid/froide gris/grise heureux/heureuse humble immobile inconnu/inconnue inquiet/inquiète jeune "
        "léger/légère lent/lente libre lointain/lointaine lourd/lourde magnifique muet/muette noir/noire nouveau/nouvelle pâle pauvre "
        "perdu/perdue petit/petite profond/profonde rouge sauvage sec/sèche sévère simple sombre timide tranquille triste vert/verte vide"
    ).split(),
    transitive=(
        "abandonna acheta admira adopta aima alluma apporta aperçut attendit bénit brisa brûla cacha caressa chercha choisit comprit connut "
        "conta couvrit cueillit découvrit dessina donna écouta effaça emporta entendit éveilla ferma garda guida imagina jeta laissa lava leva "
        "maudit montra nettoya oublia ouvrit peignit perdit porta prit protégea quitta raconta regarda rendit répara salua sauva suivit tint "
        "toucha trouva vendit visita vit vola"
    ).split(),
    intransitive=(
        "chanta courut dansa disparut dormit grandit hésita jeûna marcha mourut naquit parla partit pâlit pleura pria recula rentra résista "
        "revint rit sortit soupira sourit tomba trembla travailla vieillit voyagea"
    ).split(),
    times=(
        "alors;après la messe;au petit jour;au printemps;avec le temps;autrefois;ce soir-là;chaque dimanche;cette nuit-là;dans le silence;"
        "depuis longtemps;enfin;hier;le lendemain;parfois;plus tard;pendant des années;sans prévenir;soudain;trois jours après;une fois;vers midi"
    ).split(";"),
    prepositions="avec chez contre dans derrière devant dès entre malgré parmi pour sans sous sur vers".split() + ["loin de", "près de", "à côté de"],
    patterns=[
        "{times}, {noun} {transitive} {noun}.", "{noun} {intransitive} {prepositions} {noun}.", "{times}, {noun} {intransitive} et {noun} {transitive} {noun}.",
        "quand {noun} {intransitive}, {noun} {transitive} {noun} de {noun}.", "personne ne {transitive} {noun}, mais {noun} {intransitive} {prepositions} {noun}.",
        "— Qui {transitive} {noun} ? demanda {noun}.", "{noun} qui {transitive} {noun} {intransitive} aussi.",
        "— C'est {noun}, dit {noun}, et {times} tout {intransitive}.", "comme tout semblait {adjectives} {prepositions} {noun} !",
        "{prepositions} {noun}, {noun} {transitive} {noun}, puis {intransitive}.", "{noun} ne {intransitive} pas : {times}, {noun} {transitive} {noun}.",
        "selon {noun}, {times} {noun} {intransitive} {prepositions} {noun}.", "si {noun} {transitive} {noun}, personne n'en parla.",
        "bien que {noun} rêvât, {noun} {transitive} {noun}.", "{noun}, {noun}, {noun} : voilà ce que {transitive} {noun}.",
        "ni {noun} ni {noun} ne {intransitive} jamais {prepositions} {noun}.", "on dit que {times} {noun} {transitive} {noun}, et tout {intransitive}.",
        "il fallait {noun} pour que {noun} fût heureux, mais {times} {noun} {intransitive}.", "rien ne {transitive} {noun}, sauf {noun} de {noun}.",
    ],
    contractions=(
        (r"\b(l|d|n)(?:e|a) (?=[aeiouhéèêâîûAÉ])", r"\1'"), (r"\bde le\b", "du"), (r"\bde les\b", "des"), (r"\bque (une?)\b", r"qu'\1"), (r"\bà le\b", "au"),
    ),
)  # fmt: skip
