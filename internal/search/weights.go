package search

// The weights of the ranker, the same for every catalog. They were set by measuring on public collections of tools
// (bench/search) and are few on purpose: each belongs to one stage that can be taken out by setting it to zero.

// How terms weigh by the field they are in (BM25F), how much the length of a field counts against it (0 not at all, 1 in
// full), and how fast repetition stops to matter.
var (
	fieldWeights  = fieldLengths{inName: 3, inToolkit: 0.6, inLead: 1.7, inRest: 0.3, inParameter: 0.25}
	lengthPenalty = fieldLengths{inName: 0.4, inToolkit: 0, inLead: 0.3, inRest: 0.7, inParameter: 0.7}
)

const saturation float32 = 1.2

// How the words of a request weigh.
const (
	synonymWeight    float32 = 0.9  // a word found only through its concept
	otherRaise       float32 = 1.5  // at most so much more where the word itself is rarer
	otherName        float32 = 0.5  // as part of a tool's name
	rewriteWeight    float32 = 0.9  // a word found only through a rewritten expression
	typoWeight       float32 = 0.7  // a word found only by its likeness
	partWeight       float32 = 0.8  // a part of a compound
	verbTermWeight   float32 = 0.3  // a common verb: its class is compared, so its word says little more
	phraseWordWeight float32 = 0.3  // the first word of an expression that is a verb: "sign off"
	nounVerbWeight   float32 = 0.7  // a verb that is a thing as well: "draft an email"
	appTermWeight    float32 = 0.6  // a word that named the toolkit and has done its work
	knownWeight      float32 = 0.15 // the names of facts the caller already has
	asideWeight      float32 = 0.5  // a word of an aside: "… so that everyone sees it"
	chatterWeight    float32 = 0.7  // a word of conversation: "recommend some popular …"
	insideWeight     float32 = 0.8  // a word of where the thing is: "a card on the board"
	otherGroups      float32 = 0.2  // words of other alternatives than the one that a tool serves best
	alsoWeight       float32 = 0.8  // a further verb: "create or update"
	fadeRate         float32 = 0.08 // how much less each word weighs after the first fadeFrom
	fadeLeast        float32 = 0.3
	fadeFrom                 = 16
	mostWords                = 32 // words of meaning that are read
)

// How the parts of a score weigh, each between 0 and 1 (agreement: -1 and 1).
const (
	lexicalPart   float32 = 1.0
	routePart     float32 = 1.8
	verbPart      float32 = 0.6
	vagueVerb     float32 = 0.7 // at most so much less of it where no app is named and words say little: such verbs mislead
	precisionPart float32 = 0.45
	verbMass      float32 = 2 // what the verb counts for among the words of a name, by how rare they are
	likelyPart    float32 = 0.35
	meantPart     float32 = 0.13
	outsidePart   float32 = 0.4 // in place of meantPart, where a model outside says what is meant
	weakPart      float32 = 1.4 // at most so much more for the meaning where the words say little
	connectedPart float32 = 0.2
	findsAnyShare float32 = 0.8 // the least that a tool which finds anything counts for in words, to who wants to find something
	importantPart float32 = 0.03
	usagePart     float32 = 0.08
)

// When nothing fits: fits is the least share of a request that a tool must answer for, where the request counts as at most
// fitsWords rare words and naming the tool's app counts for half.
const (
	fits          float32 = 0.32
	fitsWords     float32 = 2
	elsewhereFits float32 = 0.5  // what is left of that share where the request names an app that is not here
	meantFits     float32 = 0.75 // how much a meaning that is more than alike adds to that share
)

// How meanings are compared. The cosine of two texts that have nothing to do with each other is seldom above alike.
const (
	strongShare float32 = 0.25 // the share of a request that words must answer for to be enough by themselves
	vagueShare  float32 = 0.5  // the same for what is said of verbs
	alike       float32 = 0.32
	unlike      float32 = 0.05 // what the first half of the dimensions must give at least
	nearlyMeant float32 = 0.7  // a tool that shares no word is ranked when it is so near the nearest one
)

// How the words of a tool weigh in its meaning.
var meaningWeights = fieldLengths{inName: 1, inToolkit: 0.15, inLead: 0.8, inRest: 0.4, inParameter: 0}
