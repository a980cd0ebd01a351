package embedding

import "slices"

// Models differ in what their cosines say: for one, texts that have nothing to do with each other have 0.1, for another 0.7. So each
// model is shown a few requests and texts of tools of which it is known what belongs together, and what is near is told by that.

// scale says what a model's cosines mean.
type scale struct {
	apart    float32 // what hardly any two texts come to that do not belong together
	together float32 // what texts come to that clearly belong together
}

// nearness is 0 where texts have nothing to do with each other, and about 1 where they clearly belong together.
func (s *scale) nearness(cosine float32) float32 {
	return min(max((cosine-s.apart)/(s.together-s.apart), 0), mostNear)
}

// mostNear bounds what a text counts that is nearly the request itself.
const mostNear = 1.2

// pairs are requests and texts in the form that tools' have, each beside the one that serves it.
var pairs = [...][2]string{
	{"email the report to my boss", "Mailbox: Send a message. Sends an email to one or more recipients."},
	{"what is on my schedule tomorrow", "Planner: List events. Events of a calendar between two points in time."},
	{"file a bug about the login page", "Tracker: Create an issue. Opens a new issue in a project."},
	{"give the customer their money back", "Payments: Refund a charge. Returns all or part of a payment."},
	{"is it going to rain this weekend", "Weather: Get a forecast. Temperature and precipitation for the coming days."},
	{"find a doctor nearby", "Clinic: Search physicians. Medical practices close to a place."},
	{"play some jazz", "Music: Start playback. Plays a track, an album or a playlist."},
	{"how much is one euro in dollars", "Currency: Convert an amount. Exchange rate between two currencies."},
	{"put a photo in our shared folder", "Drive: Upload a file. Stores a file in a folder."},
	{"who works in the design team", "Directory: List people. Employees of a department with their roles."},
	{"translate this paragraph into French", "Languages: Translate text. Renders a text in another language."},
	{"book a table for two tonight", "Dining: Make a reservation. Reserves seats at a restaurant."},
	{"close the deal with Acme as won", "Sales: Update an opportunity. Changes the stage or the amount of a deal."},
	{"turn off the lights in the kitchen", "Home: Switch a device. Turns a lamp or a plug on or off."},
	{"add a row with today's sales figures", "Sheets: Append values. Writes cells below the last row of a table."},
	{"track where my parcel is", "Shipping: Get tracking. Where a package is and when it arrives."},
}

func pairTexts() []string {
	texts := make([]string, 0, 2*len(pairs))
	for _, pair := range pairs {
		texts = append(texts, pair[0], pair[1])
	}
	return texts
}

// newScale makes a scale of the vectors of pairTexts. It is nil for a model that does not tell what belongs together.
func newScale(vectors [][]float32) *scale {
	var apart, together []float32
	for i := range pairs {
		for j := range pairs {
			c := cosine(vectors[2*i], vectors[2*j+1])
			if i == j {
				together = append(together, c)
			} else {
				apart = append(apart, c)
			}
		}
	}
	slices.Sort(apart)
	slices.Sort(together)
	s := &scale{apart: apart[len(apart)*95/100], together: together[len(together)*3/4]}
	if s.together-s.apart < leastGap {
		return nil
	}
	return s
}

// leastGap is how far what belongs together must be from what does not. A model that has understood nothing has a gap below 0.
const leastGap = 0.02

func cosine(a, b []float32) float32 {
	var sum float32
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}
