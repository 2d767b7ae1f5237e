// Package desk holds the model that the built-in engine begins with, and the text
// it was made of. That text is written here and says nothing that is true of
// anybody: the model has the manner of a support desk and knows no facts.
package desk

import (
	_ "embed"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"

	"bailiwick/internal/provider/embedded/bpe"
	"bailiwick/internal/provider/embedded/llama"
)

// Name is the model's.
const Name = "bailiwick-demo-0.2m"

//go:generate go run ./make desk.gguf
//go:embed desk.gguf
var file []byte

// Load gives the model and its tokenizer, which must not be changed.
var Load = sync.OnceValues(func() (Model, error) {
	m, words, err := llama.ReadGGUF(file)
	if err == nil {
		m.System = System
	}
	return Model{m, words}, err
})

// Model is a model with its tokenizer.
type Model struct {
	*llama.Model
	Words *bpe.Tokenizer
}

// System is what every dialogue of the corpus begins with.
const System = "You are a support assistant."

var (
	things = strings.Split("order,parcel,invoice,password,address,card,account,subscription,plan,delivery,refund,return,voucher,newsletter,profile,basket,receipt,ticket,booking,contract,device,app,store,payment", ",")
	verbs  = strings.Split("change,cancel,find,check,update,send,print,renew,pause,remove,share,download,confirm,move,open", ",")
	places = strings.Split("Orders page,Account page,Plan page,Help page,Billing page,Settings page,front page,mobile app,contact form", ",")
	times  = strings.Split("today,tomorrow,within one hour,within two days,in the morning,in the evening,on Monday,next week,at once,by the end of the month", ",")
	causes = strings.Split("it was paid already,it is still on its way,the name does not match,the date has passed,it needs to be confirmed,we want to keep it safe,the system is busy", ",")

	questions = strings.Split(`How do I %[2]s my %[1]s?
Can I %[2]s the %[1]s?
Where can I %[2]s a %[1]s?
I want to %[2]s my %[1]s, what should I do?
When can I %[2]s the %[1]s?
Why can't I %[2]s my %[1]s?
Is it possible to %[2]s %[6]d %[1]ss?
Please help me to %[2]s the %[1]s.
Hello, who can %[2]s my %[1]s for me?
What happens after I %[2]s a %[1]s?
Do you let people %[2]s a %[1]s?
My %[1]s is gone, can you %[2]s it?`, "\n")

	answers = strings.Split(`To %[2]s your %[1]s open the %[3]s and choose %[2]s.
You can %[2]s your %[1]s on the %[3]s, and it takes effect %[4]s.
We %[2]s the %[1]s for you %[4]s.
First check the %[3]s, then %[2]s your %[1]s there.
You cannot %[2]s the %[1]s because %[5]s.
Yes, you can %[2]s up to %[6]d %[1]ss on the %[3]s.
Your %[1]s is shown on the %[3]s, where you can also %[2]s it.
Please write to us %[4]s, and we will %[2]s your %[1]s.
It takes %[6]d minutes to %[2]s a %[1]s, if you start %[4]s.
No, we do not %[2]s a %[1]s, because %[5]s.`, "\n")
)

// Dialogues makes that many dialogues of the corpus, the same ones every time.
func Dialogues(n int, seed uint64) []llama.Dialogue {
	chance := rand.New(rand.NewPCG(seed, 2))
	pick := func(list []string) string { return list[chance.IntN(len(list))] }
	list := make([]llama.Dialogue, n)
	for i := range list {
		about := []any{pick(things), pick(verbs), pick(places), pick(times), pick(causes), 2 + chance.IntN(89)}
		list[i] = llama.Dialogue{
			{Role: "system", Content: System},
			{Role: "user", Content: say(pick(questions), about)},
			{Role: "assistant", Content: say(pick(answers), about)},
		}
	}
	return list
}

// say fills in a template.
func say(template string, about []any) string {
	var b strings.Builder
	for i := 0; i < len(template); i++ {
		if template[i] != '%' {
			b.WriteByte(template[i])
			continue
		}
		fmt.Fprint(&b, about[template[i+2]-'1'])
		i += 4 // %[n]v
	}
	return b.String()
}
