"""Words in many languages: meaning, language, stems."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from vidence.senses import language
from vidence.senses.language import detect_language, embed, normalise, stems

QUESTIONS = {
    "en": [
        "What colour is the sign?",
        "How many people enter the shop?",
        "When does she say goodbye?",
        "Who won",
    ],
    "es": [
        "¿De qué color es el letrero?",
        "¿Cuántas personas entran en la tienda?",
        "cuando dice adios la mujer",
    ],
    "fr": [
        "Quelle est la couleur du panneau ?",
        "Combien de gens entrent dans le magasin ?",
        "Qui a gagné ?",
    ],
    "de": [
        "Welche Farbe hat das Schild?",
        "Wie viele Leute gehen in den Laden?",
        "Wann sagt sie auf Wiedersehen?",
    ],
    "it": ["Di che colore è il cartello?", "Quante persone entrano nel negozio?", "Cosa dice la donna?"],
    "pt": ["Qual é a cor da placa?", "Quantas pessoas entram na loja?", "Quando é que ela diz adeus?"],
    "nl": ["Welke kleur heeft het bord?", "Hoeveel mensen gaan de winkel in?"],
    "ru": ["Какого цвета знак?", "Сколько людей входит в магазин?"],
    "uk": ["Якого кольору знак?", "Скільки людей заходить у магазин?"],
    "zh": ["牌子是什么颜色？", "有多少人进入商店？"],
    "ja": ["看板は何色ですか？", "何人が店に入りますか？"],
    "ko": ["표지판은 무슨 색입니까?"],
    "ar": ["ما لون اللافتة؟"],
    "hi": ["संकेत किस रंग का है?"],
    "tr": ["Dükkana kaç kişi giriyor?"],
    "pl": ["Jakiego koloru jest znak?", "Ile osób wchodzi do sklepu?"],
}


def test_a_sentence_lies_closer_to_its_translations_than_to_other_sentences():
    rows = embed(
        [
            "a dog runs on the beach",
            "un perro corre por la playa",
            "一只狗在沙滩上奔跑",
            "the bank raises its rates",
        ]
    )
    assert rows.shape == (4, 512)
    assert rows.dtype == np.float32
    same, other = rows[0] @ rows[1:3].T, rows[0] @ rows[3]
    assert same.min() > other + 0.4


def test_vectors_have_unit_length_and_wordless_texts_match_nothing():
    rows = embed(["hello", "", "?!"])
    assert np.linalg.norm(rows[0]) == pytest.approx(1, abs=1e-5)
    assert not rows[1:].any()
    assert embed([]).shape == (0, 512)


def test_a_text_gets_the_same_vector_alone_in_a_batch_and_from_the_cache():
    alone = embed(["the car stops at the light"])[0]
    batch = embed(["what is written on the wall", "the car stops at the light", "the car stops at the light"])
    assert np.allclose(batch[1], alone, atol=1e-5)
    assert np.array_equal(batch[1], batch[2])
    language._vectors.clear()
    assert np.allclose(embed(["a", "b", "the car stops at the light"])[2], alone, atol=1e-4)


def test_the_cache_is_bounded(monkeypatch):
    monkeypatch.setattr(language, "CACHE_TEXTS", 3)
    kept = embed([f"sentence {n}" for n in range(6)])
    assert len(language._vectors) == 3
    assert np.linalg.norm(kept, axis=1) == pytest.approx(
        np.ones(6), abs=1e-5
    )  # all answered, though not all kept


def test_many_threads_get_the_same_vectors():
    texts = [f"person {n} opens the door" for n in range(8)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: embed(texts), range(4)))
    assert all(np.allclose(answer, answers[0], atol=1e-5) for answer in answers)


@pytest.mark.parametrize(("code", "question"), [(code, q) for code, qs in QUESTIONS.items() for q in qs])
def test_short_questions_are_told_apart(code: str, question: str):
    assert detect_language(question) == code


@pytest.mark.parametrize("text", ["taxi", "", "12:30", "??"])
def test_what_speaks_for_no_language_counts_as_english(text: str):
    assert detect_language(text) == "en"


def test_stems_drop_function_words_and_endings():
    assert stems("Where were the cars parked?") == stems("the parked car")[::-1] == ["car", "park"]
    assert stems("¿Cuántos coches aparecen?") == stems("coche aparece", "es") or "coch" in stems(
        "coches", "es"
    )
    assert stems("to be or not to be") == ["to", "be", "or", "not", "to", "be"]
    assert stems("the driver's door") == ["driver", "door"]


def test_chinese_becomes_pairs_of_characters():
    assert stems("红色汽车") == ["红色", "色汽", "汽车"]
    assert stems("车") == ["车"]


def test_two_writings_of_the_same_words_are_equal():
    assert normalise("Ｆｕｌｌ  WIDTH, Où’est ﬁn!") == "full width ou'est fin"
    assert normalise("E-MAIL: a.b@c") == normalise("e mail a b c")
