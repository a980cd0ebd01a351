package connect

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strings"
)

// newWordID makes a readable name for an account, such as "gmail_calm-otter". There are few of them, so a name may be taken:
// from the second try on it carries a number that grows with each.
func newWordID(toolkit string, try int) string {
	word := toolkit + "_" + pick(adjectives) + "-" + pick(animals)
	if try == 0 {
		return word
	}
	span := uint64(1)
	for range min(try, 9) * 2 {
		span *= 10
	}
	return fmt.Sprintf("%s-%d", word, 2+randomBelow(span))
}

func pick(words []string) string { return words[randomBelow(uint64(len(words)))] }

// randomBelow gives a number below n. That small numbers are a hair more likely does not matter for names.
func randomBelow(n uint64) uint64 {
	var raw [8]byte
	rand.Read(raw[:])
	return binary.BigEndian.Uint64(raw[:]) % n
}

// The words are short, easy to spell and to say, and none is unkind in front of another.
var (
	adjectives = strings.Fields(`
		able agile airy alert amber ample apt autumn azure balmy basic beige big blue bold brave breezy brief bright brisk broad
		bronze calm candid careful cheery chief civic clean clear clever close coastal cool copper coral cosmic cosy crisp cubic
		curly daily dapper daring deep deft dewy eager early earnest easy elder emerald even exact fair famous fancy fast fine firm
		first fleet fond free fresh frosty full gentle glad golden good grand great green handy happy hardy hazel hearty honest humble
		ideal indigo ivory jade jolly jovial joyful just keen kind large lasting leafy light lilac lively local lofty loud loyal lucid
		lucky lunar maple meek mellow merry mild mighty mint misty modest native neat new nimble noble north novel olive open orange
		patient pearl plain plucky polar polite prime proud pure quick quiet rapid rare ready regal rich robust rosy round royal ruby
		rustic safe sandy scarlet serene sharp shiny silent silver simple sleek smart smooth snowy soft solar solid spry stable steady
		still stout strong sunny super sure swift tall teal tender thrifty tidy tiny trim true trusty upbeat urban useful valid
		vast velvet vivid warm wary west whole wide willing windy winter wise witty woven young zesty`)
	animals = strings.Fields(`
		albatross alpaca ant antelope badger barbet bat bear beaver bee beetle bison bittern blackbird boar bobcat bonobo buffalo
		bunting bustard buzzard camel canary capybara caracal cardinal caribou carp cat catfish chamois cheetah chicken chinchilla
		chipmunk cicada civet clam cod condor coot coral cormorant cougar coyote crab crane cricket crow cuckoo curlew deer dingo
		dipper dog dolphin donkey dormouse dove dragonfly duck dunlin eagle egret eider eland elephant elk emu ermine falcon ferret
		finch firefly flamingo fox frog gannet gazelle gecko gerbil gibbon giraffe gnu goat goose gopher grebe grouse gull guppy
		haddock halibut hamster hare harrier hawk hedgehog heron herring hippo hornbill horse hoopoe husky ibex ibis iguana impala jackal
		jackdaw jaguar jay kestrel kingfisher kite kiwi koala koi kudu lark lemming lemur leopard linnet lion lizard llama lobster loon
		lynx macaw magpie mallard manatee mantis marlin marmot marten meerkat merlin mink minnow mole mongoose moose moth mouse mule
		narwhal newt numbat ocelot octopus okapi opossum orca oriole oryx osprey ostrich otter owl ox oyster panda panther parrot
		partridge peacock pelican penguin perch petrel pheasant pigeon pika pike pipit plover pony porcupine possum puffin puma quail
		quetzal quokka rabbit raccoon ram raven redstart reindeer robin rook salmon sandpiper seal serval shrew siskin skylark
		sloth snail snipe sparrow squid squirrel starling stoat stork sturgeon swallow swan swift tapir tarpon teal tern thrush tiger toad
		toucan trout tuna turkey turtle viper vole vulture wagtail wallaby walrus warbler weasel whale wigeon wolf wombat woodpecker
		wren yak zebra`)
)
