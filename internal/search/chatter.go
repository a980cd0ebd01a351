package search

// chatter is what people say around what they ask for. It tells little, but in a small catalog such words are rare and would
// count for much.
var chatter = setOf(`recommend recommendation recommendations suggest suggestion suggestions advice advise popular best better good great
	nice top perfect interested interesting interest looking look learn learning know knowing understand understanding explain explore
	curious wondering wonder current currently latest recent recently upcoming available possible various different specific
	specifically particular particularly additionally furthermore moreover besides provide provided providing assist assistance
	helping insight insights information info idea ideas tip tips way ways thing things
	something anything someone anyone somebody everything everybody planning hey hi hello thanks thank love enjoy hope trying
	working going think thinking relevant sure easily quickly easy quick effectively
	efficiently fast simple today`)
