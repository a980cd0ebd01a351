package catalog

// TriggerType is a kind of event that an account can be watched for.
type TriggerType struct {
	Slug         string // GMAIL_NEW_GMAIL_MESSAGE
	Name         string
	Description  string
	Instructions string
	Kind         string // "webhook" or "poll"
	Toolkit      *Toolkit
	Config       Schema
	Payload      Schema
	Version      string
}
