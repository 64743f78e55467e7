//! Words that nearly every article of a language has, and those that capitals make something else.

use rustc_hash::FxHashMap;
use std::sync::LazyLock;

/// Short function words, by language.
const COMMON: [(&str, &str); 10] = [
    (
        "English",
        "a about after all also an and any are as at be been but by can for from had has have he her his how if in into \
         is it its just me more my new no not now of off on one or our out over said she so some than that the their \
         them then there they this to two up us was we were what when which who will with would you your",
    ),
    (
        "German",
        "als am an auch auf aus bei bis da das dem den der des die dies du ein eine einem einen einer er es für hat ich \
         ihr im in ist ja man mit nach nicht noch nur ob oder sein sich sie sind so über um und uns von vor was wer wie \
         wir wird zu zum zur",
    ),
    (
        "French",
        "à au aux avec ce ces dans de des du elle en est et eux il ils je la le les leur lui ma mais me même mes moi mon \
         ne nos nous on ont ou où par pas plus pour qu que qui sa se ses son sont sur ta te tu un une vous y",
    ),
    (
        "Spanish",
        "al como con de del el ella en es esta este ha han hay la las le les lo los más me mi muy no nos o para pero por \
         que se ser si sin son su sus te tu un una y ya yo",
    ),
    (
        "Italian",
        "al alla che chi ci come con da dal dei del della di e è gli ha hanno i il in io la le lo ma mi nel nella non o \
         per più qui se si sono su sul tra un una",
    ),
    (
        "Portuguese",
        "ao aos as com da das de do dos e é em eu foi há já mais mas na não nas no nos o os ou para pela pelo por que se \
         sem ser seu sua são um uma",
    ),
    (
        "Dutch",
        "aan al als bij dan dat de die dit een en er haar heeft het hij ik in is je maar met na naar niet nog of om ook op \
         over te tot uit van voor was wat we wel wij wordt ze zich zijn zo",
    ),
    (
        "Polish",
        "ale być co czy dla do go i ich jak je jest już ma na nie o od po przez się są ta tak to tym w we z za ze że",
    ),
    (
        "Russian",
        "а без бы был была было быть в вы да для до его ее если же за и из или им их к как ко мы на не но о об он она они \
         от по при с со так то у что это я",
    ),
    (
        "Ukrainian",
        "а або але без бо був була було в ви від вже він вона вони до для є з за й і із їх його її на не ні по про та так \
         те то у це цей що щоб я як",
    ),
];

/// Acronyms that are other words in small letters, where the words are no function words.
const ACRONYM_WORDS: &str = "aids age aim app arm bar bat care cat cop cops cup dart dice eta fast fed gap gas ice \
                             imp kids led lot mad man map mars may mint mob net nice pace pact pen pet pin pit pop \
                             ram rice rip rise rose safe salt sam sat sea sim sin smart spa star start stem sun swat tan tap \
                             tip top ware wave";

/// By common word: the first language that has it.
static LANGUAGES: LazyLock<FxHashMap<&str, &str>> = LazyLock::new(|| {
    let words =
        COMMON.iter().rev().flat_map(|(language, words)| words.split_whitespace().map(|word| (word, *language)));
    words.collect()
});

/// Returns a language in which nearly every article has the word, which is folded.
pub(super) fn language_of(folded: &str) -> Option<&'static str> {
    LANGUAGES.get(folded).copied()
}

/// Whether a word in small letters is another than in capitals.
pub(super) fn is_word_too(folded: &str) -> bool {
    ACRONYM_WORDS.split_whitespace().any(|word| word == folded)
}
