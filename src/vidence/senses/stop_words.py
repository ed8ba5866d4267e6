"""Function words of the languages told apart by `vidence.senses.language`.

Each list holds the commonest articles, pronouns, prepositions, auxiliaries and question words: the words
that a short question in that language can hardly do without, and that carry no topic. Written without
accents where the accent is often left out in typing (the reader folds accents before looking up).
"""

from __future__ import annotations

_LISTS = {
    "en": """a an the this that these those i you he she it we they me him her us them my your his its our
        their who whom whose what which when where why how and or but if then than as of at by for from in
        into on onto to with without about between during before after above below up down out over under is
        are was were be been being am do does did done have has had will would can could shall should may
        might must not no any some there here all each every both many much more most other such only own
        same so too very just also say says said see seen happen happens show shown shows""",
    "es": """el la los las un una unos unas de del al y o u que quien quienes cual cuales cuando cuanto
        cuanta cuantos cuantas donde como por para con sin sobre entre hasta desde en es son era eran fue
        fueron ser esta estan estaba hay ha han habia se su sus mi tu lo le les nos me te no si mas muy pero
        este estos esta estas ese esa esos eso esto aquel antes despues durante dice dicen aparece ve hace
        tambien ya todo toda todos todas""",
    "fr": """le la les l un une des de du d au aux et ou que qui quoi quel quelle quels quelles quand ou
        comment combien pourquoi est sont etait etaient sera etre a ont avait il elle ils elles on nous vous
        je tu ce cet cette ces c qu s n se sa son ses leur leurs mon ma mes ton notre votre ne pas plus dans
        sur sous avec sans pour par entre avant apres pendant y en dit disent fait voit t j m mais donc
        aussi tres tout toute tous""",
    "de": """der die das den dem des ein eine einen einem einer eines und oder aber wer wen wem was welche
        welcher welches welchen wann wo wohin woher wie warum wieviel viele ist sind war waren sein wird
        werden wurde hat haben hatte ich du er sie es wir ihr mich dich ihn uns sich mein dein sein seine
        ihre ihren nicht kein keine auf an in im am um zu zum zur mit ohne von vom fur bei nach vor uber
        unter zwischen aus wahrend als wenn dann auch noch nur sehr sagt steht gibt dieser diese dieses
        man""",
    "it": """il lo la i gli le l un uno una di del dello della dei degli delle d a al allo alla ai agli alle
        da dal dalla dai in nel nella nei nelle su sul sulla sui con per tra fra e o ma che chi cosa quale
        quali quando dove come perche quanto quanta quanti quante c cos e sono era erano essere ha hanno
        aveva si suo sua suoi sue mio non piu molto questo questa questi queste quello quella prima dopo
        durante dice viene ci ne anche tutto""",
    "pt": """o a os as um uma uns umas de do da dos das em no na nos nas ao aos pelo pela por para
        com sem sobre entre ate desde e ou mas que quem qual quais quando quanto quanta quantos
        quantas onde como porque sao era eram foi foram ser esta estao estava ha tem tinha se seu
        sua seus suas meu minha ele ela eles elas voce nao mais muito este esta isso isto aquele
        antes depois durante diz dizem aparece faz tambem ja todo toda""",
    "nl": """de het een en of maar die dat dit deze wie wat welke welk wanneer waar hoe hoeveel waarom is
        zijn was waren wordt worden werd heeft hebben had ik jij je hij zij ze we wij jullie u hem haar hen
        hun mijn zich niet geen op aan in om te met zonder van voor bij na naar over onder tussen uit
        tijdens als dan ook nog er zegt staat gaat veel""",
    "sv": """en ett den det de som och eller men att vem vad vilken vilket vilka nar var hur varfor manga ar
        var vara blir har hade jag du han hon vi ni de dem sig sin sitt sina inte ingen pa i om till med
        utan av for fran vid efter fore over under mellan nagon nagot sager star finns""",
    "da": """en et den det de som og eller men at hvem hvad hvilken hvilket hvilke hvornar hvor hvordan
        hvorfor mange er var vaere bliver har havde jeg du han hun vi dem sig sin sit sine ikke ingen pa i
        om til med uden af for fra ved efter for over under mellem siger star findes""",
    "pl": """i w z na do o po za od dla przez przed nad pod bez jest sa byl byla bylo byc ma maja kto co jaki
        jaka jakie ktory ktora ktore kiedy gdzie jak dlaczego ile czy nie tak ale lub oraz ten ta to te tego
        tej ich jego jej sie on ona ono oni mowi widac""",
    "tr": """bir bu su o ve veya ama ile icin gibi kim ne neden nasil nerede nereye hangi kac zaman mi mu var
        yok degil olan olarak daha cok en sonra once ben sen biz siz onlar da de ki kadar""",
    "id": """yang di ke dari dan atau tetapi untuk dengan pada dalam adalah ini itu siapa apa mana kapan
        dimana bagaimana mengapa berapa tidak ada akan sudah saya kamu dia kami kita mereka oleh sebagai
        juga saat setelah sebelum orang""",
    "vi": """la va cua co khong nguoi trong tren duoi cho voi nay do ai gi nao khi dau bao nhieu nhu the mot
        cac nhung duoc da se dang tu den o ra vao""",
}

STOP_WORDS: dict[str, frozenset[str]] = {code: frozenset(words.split()) for code, words in _LISTS.items()}
"""Folded (lower-case, accent-free) function words by ISO 639-1 code."""

_CYRILLIC = {
    "ru": """и в во не что он на я с со как а то все она так его но да ты к у же вы за бы по ее мне было вот
        от меня о из ему когда кто где какой какая какие какого сколько почему куда это эта этот эти есть
        был была были быть или при до после между над под для чем их они мы""",
    "uk": """і й в у не що він на я з зі як а то все вона так його але та ти до же ви за б по її мені було
        від мене про коли хто де який яка які якого скільки чому куди це ця цей ці є був була були бути або
        при після між над під для чим їх вони ми""",
}

CYRILLIC: dict[str, frozenset[str]] = {code: frozenset(words.split()) for code, words in _CYRILLIC.items()}
"""The same for languages in Cyrillic letters."""
