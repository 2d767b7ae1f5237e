package internal_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/adminkey"
	"bailiwick/internal/apikey"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/dataset"
	"bailiwick/internal/deployment"
	"bailiwick/internal/explanation"
	"bailiwick/internal/factor"
	"bailiwick/internal/fault"
	"bailiwick/internal/grant"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/provider"
	"bailiwick/internal/training"
	"bailiwick/internal/usage"
	"bailiwick/internal/workspace"
)

// services have nothing behind them: whoever is let in falls through the floor.
var services = []any{
	&account.Service{}, &account.People{}, &account.Trail{}, &adminkey.Service{}, &apikey.Service{}, &catalogue.Service{}, &dataset.Service{}, &deployment.Service{}, &explanation.Service{},
	&factor.Service{}, &grant.Service{}, &limit.Service{}, &provider.Service{}, &training.Service{}, &usage.Service{}, &workspace.Service{}, &workspace.Members{},
}

// asked is the action that each method asks for before anything else; with two,
// the second is asked where a workspace is named.
var asked = map[string][]access.Action{
	"account.Service.Current":        {access.Self},
	"account.Service.ChangeSettings": {access.ChangeSettings},

	"account.People.Invite": {access.ChangeUsers},

	"account.Service.LogOff":         {},
	"account.Service.ChangePassword": {access.Self},
	"account.Service.Prove":          {access.Self},

	"account.People.List":            {access.ReadUsers},
	"account.People.Find":            {access.ReadUsers},
	"account.People.Seats":           {access.ReadUsers},
	"account.People.Add":             {access.ChangeUsers},
	"account.People.AddWithPassword": {access.ChangeUsers},
	"account.People.Edit":            {access.ChangeUsers},
	"account.People.GivePassword":    {access.ChangeUsers},
	"account.People.Promote":         {access.ChangeUsers},
	"account.People.Disable":         {access.ChangeUsers},
	"account.People.Enable":          {access.ChangeUsers},
	"account.People.Delete":          {access.ChangeUsers},
	"account.People.EndSessions":     {access.ChangeUsers},
	"account.People.Impact":          {access.ChangeUsers},
	"account.People.Roster":          {access.ChangeUsers},

	"account.Service.Sessions":         {access.Self},
	"account.Service.EndSession":       {access.Self},
	"account.Service.EndOtherSessions": {access.Self},
	"account.Service.Remind":           {access.Self},
	"account.Service.PutOff":           {access.Self},

	"account.Trail.Checkup": {access.ReadAudit, access.ReadTrail},
	"account.Trail.Verify":  {access.VerifyAudit},
	"account.Trail.List":    {access.ReadAudit, access.ReadTrail},
	"account.Trail.Find":    {access.ReadAudit, access.ReadTrail},
	"account.Trail.Export":  {access.ReadAudit, access.ReadTrail},

	"adminkey.Service.Issue":  {access.ChangeAdminKeys},
	"adminkey.Service.List":   {access.ReadAdminKeys},
	"adminkey.Service.Find":   {access.ReadAdminKeys},
	"adminkey.Service.Revoke": {access.ChangeAdminKeys},

	"apikey.Service.Issue":   {access.IssueKeys},
	"apikey.Service.List":    {access.ReadKeys},
	"apikey.Service.ListAll": {access.Enter},
	"apikey.Service.Find":    {access.ReadKeys},
	"apikey.Service.Disable": {access.ChangeKeys},
	"apikey.Service.Enable":  {access.ChangeKeys},
	"apikey.Service.Delete":  {access.ChangeKeys},
	"apikey.Service.Edit":    {access.ChangeKeys},
	"apikey.Service.Reset":   {access.ChangeKeys},

	"catalogue.Service.List":         {access.ReadModels},
	"catalogue.Service.Find":         {access.ReadModels},
	"catalogue.Service.Add":          {access.ChangeProviders},
	"catalogue.Service.ChangePrices": {access.ChangePrices},

	"dataset.Service.List":       {access.ReadDatasets},
	"dataset.Service.Find":       {access.ReadDatasets},
	"dataset.Service.Files":      {access.ReadDatasets},
	"dataset.Service.File":       {access.ReadDatasets},
	"dataset.Service.Report":     {access.ReadDatasets},
	"dataset.Service.Room":       {access.ReadDatasets},
	"dataset.Service.JobsOf":     {access.ReadDatasets},
	"dataset.Service.Content":    {access.ReadDatasets},
	"dataset.Service.Preview":    {access.ReadDatasets},
	"dataset.Service.Upload":     {access.ChangeDatasets},
	"dataset.Service.DeleteFile": {access.ChangeDatasets},
	"dataset.Service.Delete":     {access.ChangeDatasets},
	"dataset.Service.Rename":     {access.ChangeDatasets},

	"explanation.Service.Refused": {access.ReadGrants, access.ReadKeys},
	"explanation.Service.Place":   {access.Enter},
	"explanation.Service.Recent":  {access.ReadGrants, access.ReadKeys},
	"deployment.Service.Create":   {access.ChangeDeployments},
	"deployment.Service.Scale":    {access.ChangeDeployments},
	"deployment.Service.Stop":     {access.ChangeDeployments},
	"deployment.Service.Start":    {access.ChangeDeployments},
	"deployment.Service.Limit":    {access.ChangeDeployments},
	"deployment.Service.Rename":   {access.ChangeDeployments},
	"deployment.Service.Delete":   {access.ChangeDeployments},
	"deployment.Service.List":     {access.ReadDeployments},
	"deployment.Service.Find":     {access.ReadDeployments},
	"deployment.Service.Named":    {access.ReadDeployments},
	"deployment.Service.History":  {access.ReadDeployments},
	"deployment.Service.Offers":   {access.ReadDeployments},

	"explanation.Service.Explain": {access.ReadGrants, access.ReadKeys},

	"factor.Service.OfferApp":      {access.Self},
	"factor.Service.Offered":       {access.Self},
	"factor.Service.AddApp":        {access.Self},
	"factor.Service.RemoveApp":     {access.Self},
	"factor.Service.Of":            {access.Self},
	"factor.Service.NewCodes":      {access.Self},
	"factor.Service.OfferPasskey":  {access.Self},
	"factor.Service.AddPasskey":    {access.Self},
	"factor.Service.RemovePasskey": {access.Self},
	"factor.Service.Passkey":       {access.Self},
	"factor.Service.Confirm":       {access.Self},

	// It answers with a refusal and no error: the gateway's own test asks it as everybody.
	"gateway.Gateway.ServeConsole": {access.UsePlayground},

	"grant.Service.List":      {access.ReadGrants},
	"grant.Service.Authorize": {access.ChangeGrants},
	"grant.Service.Matrix":    {access.ReadGrants},
	"grant.Service.Set":       {access.ChangeGrants},
	"grant.Service.Permit":    {access.ChangeGrants},

	"limit.Service.List":          {access.ReadLimits},
	"limit.Service.Sums":          {access.ChangeLimits},
	"limit.Service.Change":        {access.ChangeLimits},
	"limit.Service.ChangeAccount": {access.ChangeLimits},

	"provider.Service.Add":        {access.ChangeProviders},
	"provider.Service.Edit":       {access.ChangeProviders},
	"provider.Service.Delete":     {access.ChangeProviders},
	"provider.Service.Dependents": {access.ChangeProviders},
	"provider.Service.List":       {access.ReadProviders},
	"provider.Service.Find":       {access.ReadProviders},
	"provider.Service.Powers":     {access.ReadProviders},
	"provider.Service.Test":       {access.ChangeProviders},
	"provider.Service.Try":        {access.ChangeProviders},
	"provider.Service.Remote":     {access.ChangeProviders},
	"provider.Service.Serve":      {access.ChangeProviders},
	"provider.Service.Import":     {access.ChangeProviders},

	"training.Service.Files":       {access.ChangeTrainings},
	"training.Service.Create":      {access.ChangeTrainings},
	"training.Service.Estimate":    {access.ChangeTrainings},
	"training.Service.Bases":       {access.ChangeTrainings},
	"training.Service.List":        {access.ReadTrainings},
	"training.Service.Find":        {access.ReadTrainings},
	"training.Service.Cancel":      {access.ChangeTrainings},
	"training.Service.Delete":      {access.ChangeTrainings},
	"training.Service.Log":         {access.ReadTrainings},
	"training.Service.Curves":      {access.ReadTrainings},
	"training.Service.Checkpoints": {access.ReadTrainings},
	"training.Service.Publish":     {access.ChangeTrainings},
	"training.Service.Models":      {access.ReadTrainings},
	"training.Service.Model":       {access.ReadTrainings},
	"training.Service.ModelByName": {access.ReadTrainings},
	"training.Service.Rename":      {access.ChangeTrainings},
	"training.Service.DeleteModel": {access.ChangeTrainings},
	"training.Service.Download":    {access.ReadTrainings},

	"usage.Service.Report": {access.ReadAllUsage, access.ReadUsage},
	"usage.Service.Calls":  {access.ReadAllUsage, access.ReadUsage},
	"usage.Service.Call":   {access.ReadAllUsage, access.ReadUsage},
	"usage.Service.Beside": {access.ReadAllUsage, access.ReadUsage},

	"workspace.Members.List":           {access.ReadMembers},
	"workspace.Members.Find":           {access.ReadMembers},
	"workspace.Members.Leaving":        {access.ReadMembers},
	"workspace.Members.Candidates":     {access.ChangeMembers},
	"workspace.Members.Administrators": {access.EnterWorkspace},
	"workspace.Members.Put":            {access.ChangeMembers},
	"workspace.Members.Remove":         {access.ChangeMembers},

	"workspace.Service.Add":       {access.AddWorkspace},
	"workspace.Service.Rename":    {access.RenameWorkspace},
	"workspace.Service.Delete":    {access.DeleteWorkspace},
	"workspace.Service.Remains":   {access.DeleteWorkspace},
	"workspace.Service.Find":      {access.EnterWorkspace},
	"workspace.Service.List":      {access.ListWorkspaces},
	"workspace.Service.Allowance": {access.ListWorkspaces},
}

// somebody is one kind of person who asks.
type somebody struct {
	name string
	is   access.Actor
}

// there are the workspaces of those who belong to one: a named one, and the one
// that arguments say that say nothing.
const there = ident.Workspace("llm-aaaaaaaaaaaaaaaa")

// everybody is one of each kind: with no page, with exactly one, with all.
func everybody() []somebody {
	member := func(role access.Role, pages ...access.Page) access.Actor {
		m := access.Membership{Role: role, Pages: pages}
		return access.Actor{Account: "acc-1", User: "usr-1", Role: access.Regular, In: map[ident.Workspace]access.Membership{there: m, "": m}}
	}
	list := []somebody{
		{"nobody", access.Actor{}},
		{"a member of nothing", access.Actor{Account: "acc-1", User: "usr-1", Role: access.Regular}},
		{"a member without pages", member(access.Regular)},
		{"an administrator", member(access.Administrator)},
		{"a super administrator", access.Actor{Account: "acc-1", User: "usr-1", Role: access.Super}},
		{"root", access.Actor{Account: "acc-1", User: "usr-1", Role: access.Root}},
		{"root who must change the password", access.Actor{Account: "acc-1", User: "usr-1", Role: access.Root, Duty: access.ChangePassword}},
	}
	for _, p := range access.Pages {
		list = append(list, somebody{"a member with the page " + string(p), member(access.Regular, p)})
	}
	return list
}

// may is what the one permission model says.
func (s somebody) may(do access.Action) bool {
	if access.Workspaced(do) {
		return s.is.MayIn(there, do)
	}
	return s.is.May(do)
}

func TestEveryServiceAsksForLeaveFirst(t *testing.T) {
	for _, service := range services {
		v := reflect.ValueOf(service)
		for i := range v.NumMethod() {
			name := methodName(v.Type(), i)
			actions, listed := asked[name]
			if !listed {
				continue // of those, TestEveryMethodWithAnActorIsAsked tells
			}
			for n, action := range actions {
				ws := ident.Workspace("")
				if n > 0 || len(actions) == 1 {
					ws = there
				}
				for _, who := range everybody() {
					if in := letIn(v.Method(i), who.is, ws); in != who.may(action) {
						t.Errorf("%s lets %s in: %v, and %s says %v", name, who.name, in, action, who.may(action))
					}
				}
			}
		}
	}
}

func methodName(service reflect.Type, i int) string {
	return strings.TrimPrefix(service.String(), "*") + "." + service.Method(i).Name
}

// letIn calls a method and reports whether it got past the question for leave.
func letIn(method reflect.Value, by access.Actor, ws ident.Workspace) (in bool) {
	defer func() {
		if recover() != nil {
			in = true
		}
	}()
	var args []reflect.Value
	for i := range method.Type().NumIn() {
		arg := reflect.New(method.Type().In(i)).Elem()
		place(arg, ws)
		switch arg.Interface().(type) {
		case string:
			arg.SetString("00000000-0000-4000-8000-000000000000") // a request's id, where one is wanted
		case access.Actor:
			arg.Set(reflect.ValueOf(by))
		case nil:
			if arg.Type() == reflect.TypeFor[context.Context]() {
				arg.Set(reflect.ValueOf(context.Background()))
			}
		}
		args = append(args, arg)
	}
	results := method.Call(args)
	err, failed := results[len(results)-1].Interface().(error)
	if !failed {
		return true
	}
	k := fault.KindOf(err)
	return k != fault.Unauthenticated && k != fault.Forbidden && k != fault.Missing
}

// place says the workspace wherever one can be said, and something where bytes are wanted.
func place(arg reflect.Value, ws ident.Workspace) {
	switch {
	case arg.Type() == reflect.TypeFor[ident.Workspace]():
		arg.SetString(string(ws))
	case arg.Type() == reflect.TypeFor[[]byte]():
		arg.SetBytes([]byte{1})
	case arg.Kind() == reflect.Struct && arg.Type() != reflect.TypeFor[access.Actor]():
		for i := range arg.NumField() {
			if arg.Field(i).CanSet() {
				place(arg.Field(i), ws)
			}
		}
	}
}

func TestEveryMethodWithAnActorIsAsked(t *testing.T) {
	var found []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			found = append(found, withActor(t, path)...)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range found {
		if _, listed := asked[name]; !listed {
			t.Errorf("%s takes an actor, and nothing says what it asks for", name)
		}
	}
	for name := range asked {
		if !slices.Contains(found, name) {
			t.Errorf("%s is gone", name)
		}
	}
}

// withActor finds the exported methods that act for somebody.
func withActor(t *testing.T, path string) (names []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, decl := range file.Decls {
		f, is := decl.(*ast.FuncDecl)
		if !is || f.Recv == nil || !f.Name.IsExported() {
			continue
		}
		for _, p := range f.Type.Params.List {
			if s, is := p.Type.(*ast.SelectorExpr); is && s.Sel.Name == "Actor" && fmt.Sprint(s.X) == "access" {
				if star, is := f.Recv.List[0].Type.(*ast.StarExpr); is {
					names = append(names, fmt.Sprintf("%s.%s.%s", file.Name.Name, star.X, f.Name.Name))
				}
			}
		}
	}
	return names
}
