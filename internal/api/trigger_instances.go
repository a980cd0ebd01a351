package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/tenant"
	"github.com/patchbay-dev/patchbay/internal/trigger"
)

// triggerWanted is what upsert and check ask for. Members in camel case are the older names (API contract section 11).
type triggerWanted struct {
	Origin       string         `from:"origin" json:"-"`
	Slug         string         `path:"slug" json:"-"`
	UserID       string         `json:"user_id"`
	AccountID    string         `json:"connected_account_id"`
	OldAccountID string         `json:"connectedAuthId"`
	Config       map[string]any `json:"trigger_config"`
	OldConfig    map[string]any `json:"triggerConfig"`
	Versions     any            `json:"toolkit_versions"`
	Version      string         `json:"version"`
}

func (in triggerWanted) wanted() trigger.Wanted {
	w := trigger.Wanted{
		Trigger: in.Slug, UserID: in.UserID, AccountID: orText(in.AccountID, in.OldAccountID), Config: in.Config, Version: in.Version, From: in.Origin,
	}
	if w.Config == nil {
		w.Config = in.OldConfig
	}
	switch v := in.Versions.(type) {
	case string:
		w.Version = v
	case map[string]any: // one for each toolkit
		toolkit, _, _ := strings.Cut(in.Slug, "_")
		if one, ok := v[strings.ToLower(toolkit)].(string); ok {
			w.Version = one
		}
	}
	return w
}

// upsertTriggerResponse tells, beside the id, what has to be entered at the provider of a webhook that nobody makes there. The
// secret is told once.
type upsertTriggerResponse struct {
	ID         string `json:"trigger_id"`
	URL        string `json:"webhook_url,omitempty"`
	Secret     string `json:"webhook_secret,omitempty"`
	EndpointID string `json:"webhook_endpoint_id,omitempty"`
	made       bool
}

// status is 201 for a new instance and 200 for one that there was.
func (r upsertTriggerResponse) status() int {
	if r.made {
		return http.StatusCreated
	}
	return http.StatusOK
}

func (a *api) upsertTrigger(ctx context.Context, caller tenant.Caller, in triggerWanted) (upsertTriggerResponse, error) {
	made, err := a.triggers.Upsert(ctx, caller, in.wanted())
	if err != nil {
		return upsertTriggerResponse{}, err
	}
	return upsertTriggerResponse{ID: made.ID, URL: made.URL, Secret: made.Secret, EndpointID: made.Endpoint, made: made.New}, nil
}

type checkTriggerResponse struct {
	OK        bool            `json:"ok"`
	AccountID *string         `json:"connected_account_id"`
	Config    map[string]any  `json:"trigger_config"`
	Problem   *triggerProblem `json:"problem"`
	Warnings  []string        `json:"warnings"`
	Found     int             `json:"items_found"`
}

type triggerProblem struct {
	Slug    string   `json:"slug"`
	Message string   `json:"message"`
	Fix     *string  `json:"suggested_fix"`
	Errors  []string `json:"errors"`
}

func (a *api) checkTrigger(ctx context.Context, caller tenant.Caller, in triggerWanted) (checkTriggerResponse, error) {
	checked, err := a.triggers.Check(ctx, caller, in.wanted())
	if err != nil {
		return checkTriggerResponse{}, err
	}
	out := checkTriggerResponse{
		OK: checked.Problem == nil, AccountID: orNull(checked.AccountID), Config: checked.Config, Warnings: list(checked.Warnings), Found: checked.Found,
	}
	if p := checked.Problem; p != nil {
		out.Problem = &triggerProblem{Slug: p.Slug, Message: p.Message, Fix: orNull(p.Fix), Errors: list(p.Details)}
	}
	return out, nil
}

// triggerResponse is an instance in a list. The members in camel case are the older names.
type triggerResponse struct {
	ID           string         `json:"id"`
	UUID         string         `json:"uuid"`
	Name         string         `json:"trigger_name"`
	AccountID    string         `json:"connected_account_id"`
	AccountUUID  string         `json:"connected_account_uuid"`
	UserID       string         `json:"user_id"`
	Config       map[string]any `json:"trigger_config"`
	State        triggerState   `json:"state"`
	Version      string         `json:"version"`
	CreatedAt    string         `json:"created_at"`
	UpdatedAt    string         `json:"updated_at"`
	DisabledAt   *string        `json:"disabled_at"`
	OldDisabled  *string        `json:"disabledAt"`
	OldAccountID string         `json:"connectedAccountId"`
	OldName      string         `json:"triggerName"`
	OldUpdatedAt string         `json:"updatedAt"`
	OldConfig    map[string]any `json:"triggerConfig"`
}

// triggerState says how an instance is.
type triggerState struct {
	Status     trigger.Status `json:"status"`
	Reason     *string        `json:"disabled_reason"`
	Message    *string        `json:"message"`
	Failures   int            `json:"consecutive_failures"`
	LastLookAt *string        `json:"last_polled_at"`
	NextLookAt *string        `json:"next_poll_at"`
	EndpointID *string        `json:"webhook_endpoint_id"`
}

func (a *api) triggerOf(caller tenant.Caller, i trigger.Instance) triggerResponse {
	version := ""
	if t, err := a.triggers.Type(caller, i.Trigger); err == nil {
		version = t.Version
	}
	disabled, updated := timestampOrNull(i.StoppedAt), timestamp(i.UpdatedAt)
	return triggerResponse{
		ID: i.ID, UUID: uuidOf(i.ID), Name: i.Trigger, AccountID: i.AccountID, AccountUUID: uuidOf(i.AccountID), UserID: i.UserID,
		Config: i.Config, Version: version, CreatedAt: timestamp(i.CreatedAt), UpdatedAt: updated, DisabledAt: disabled,
		State: triggerState{
			Status: i.Status, Reason: orNull(string(i.Reason)), Message: orNull(i.Why), Failures: i.Failures,
			LastLookAt: timestampOrNull(i.LookedAt), NextLookAt: timestampOrNull(i.DueAt), EndpointID: orNull(i.EndpointID),
		},
		OldDisabled: disabled, OldAccountID: i.AccountID, OldName: i.Trigger, OldUpdatedAt: updated, OldConfig: i.Config,
	}
}

type listTriggersRequest struct {
	IDs             values `query:"trigger_ids" json:"-"`
	Names           values `query:"trigger_names" json:"-"`
	UserIDs         values `query:"user_ids" json:"-"`
	AccountIDs      values `query:"connected_account_ids" json:"-"`
	AuthConfigIDs   values `query:"auth_config_ids" json:"-"`
	ShowDisabled    *bool  `query:"show_disabled" json:"-"`
	OldIDs          values `query:"triggerIds" json:"-"`
	OldNames        values `query:"triggerNames" json:"-"`
	OldAccountIDs   values `query:"connectedAccountIds" json:"-"`
	OldAuthConfigs  values `query:"authConfigIds" json:"-"`
	OldShowDisabled *bool  `query:"showDisabled" json:"-"`
	Limit           limit  `query:"limit" json:"-"`
	Cursor          string `query:"cursor" json:"-"`
}

func (in listTriggersRequest) filter() trigger.Filter {
	isTrue := func(b *bool) bool { return b != nil && *b }
	return trigger.Filter{
		IDs: append(in.IDs, in.OldIDs...), UserIDs: in.UserIDs, AccountIDs: append(in.AccountIDs, in.OldAccountIDs...),
		AuthConfigIDs: append(in.AuthConfigIDs, in.OldAuthConfigs...),
		Triggers:      mapped(append(in.Names, in.OldNames...), strings.ToUpper),
		ShowStopped:   isTrue(in.ShowDisabled) || isTrue(in.OldShowDisabled),
		Limit:         in.Limit.clamp(20, 1000),
	}
}

func (a *api) listTriggers(ctx context.Context, caller tenant.Caller, in listTriggersRequest) (pageResponse[triggerResponse], error) {
	at, err := parseCursor(in.Cursor)
	if err != nil {
		return pageResponse[triggerResponse]{}, err
	}
	filter := in.filter()
	filter.Cursor = at.from
	instances, page, err := a.triggers.List(ctx, caller, filter)
	if err != nil {
		return pageResponse[triggerResponse]{}, err
	}
	return pageResponse[triggerResponse]{
		Items:    mapped(instances, func(i trigger.Instance) triggerResponse { return a.triggerOf(caller, i) }),
		pageInfo: infoOf(at, filter.Limit, page),
	}, nil
}

type manageTriggerRequest struct {
	Origin string `from:"origin" json:"-"`
	ID     string `path:"trigger_id" json:"-"`
	Status string `json:"status"`
}

type manageTriggerResponse struct {
	Status string `json:"status"`
}

func (a *api) manageTrigger(ctx context.Context, caller tenant.Caller, in manageTriggerRequest) (manageTriggerResponse, error) {
	var err error
	switch in.Status {
	case "enable":
		_, err = a.triggers.Enable(ctx, caller, in.ID, in.Origin)
	case "disable":
		_, err = a.triggers.Disable(ctx, caller, in.ID)
	default:
		err = invalidRequest(fmt.Sprintf("status: expected enable or disable, got %q", short(in.Status)))
	}
	return manageTriggerResponse{"success"}, err
}

type deleteTriggerRequest struct {
	ID string `path:"trigger_id" json:"-"`
}

type deleteTriggerResponse struct {
	ID string `json:"trigger_id"`
}

func (a *api) deleteTrigger(ctx context.Context, caller tenant.Caller, in deleteTriggerRequest) (deleteTriggerResponse, error) {
	return deleteTriggerResponse(in), a.triggers.Delete(ctx, caller, in.ID)
}
